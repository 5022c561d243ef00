"""Beat's entries, editable while everything runs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django_celery_beat.admin import (
    ClockedScheduleAdmin,
    CrontabScheduleAdmin,
    PeriodicTaskAdmin,
    PeriodicTaskForm,
    TaskSelectWidget,
)
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

for _model in (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(_model)


class DeskTaskSelectWidget(UnfoldAdminSelectWidget, TaskSelectWidget):
    """Beat's list of registered tasks in the desk's clothes."""


class DeskPeriodicTaskForm(PeriodicTaskForm):
    """Beat's form with the desk's widgets on its two own fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = DeskTaskSelectWidget()


@admin.register(PeriodicTask)
class DeskPeriodicTaskAdmin(PeriodicTaskAdmin, ModelAdmin):
    """What beat does, how often, and when it last did."""

    form = DeskPeriodicTaskForm
    list_display = ("name", "enabled", "scheduler", "queue", "last_run_at", "total_run_count")
    list_filter = ("enabled",)


@admin.register(IntervalSchedule)
class DeskIntervalAdmin(ModelAdmin):
    """Every so many seconds."""


@admin.register(CrontabSchedule)
class DeskCrontabAdmin(CrontabScheduleAdmin, ModelAdmin):
    """At times of the day, week or month."""

    inlines = ()


@admin.register(SolarSchedule)
class DeskSolarAdmin(ModelAdmin):
    """At sunrise, sunset and the like."""


@admin.register(ClockedSchedule)
class DeskClockedAdmin(ClockedScheduleAdmin, ModelAdmin):
    """Once."""

    inlines = ()
