# One image for every process of the product (docker-compose.yml says which runs what), and Caddy with its
# files owned by the user that it runs as.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
# 2.11 waits with a POST for the next process; 2.6 answered 502.
ARG CADDY_IMAGE=caddy:2.11-alpine

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
# Without pip of its own: the image that runs installs nothing.
RUN python -m venv --without-pip /opt/venv
COPY requirements.txt /build/
RUN pip --python /opt/venv/bin/python install --require-hashes --no-deps -r /build/requirements.txt
WORKDIR /app
COPY . .
# The settings refuse to be read without keys. These unlock nothing, and stay behind in this stage.
RUN DJANGO_SECRET_KEY=build DATABASE_URL=postgres://build@127.0.0.1/build REDIS_URL=redis://127.0.0.1/0 \
    PUBLIC_BASE_URL=http://127.0.0.1 TWILIO_API_URL=http://127.0.0.1 TWILIO_ACCOUNT_SID=build \
    TWILIO_AUTH_TOKEN=build LIVEKIT_URL=ws://127.0.0.1 LIVEKIT_API_KEY=build LIVEKIT_API_SECRET=build \
    LIVEKIT_SIP_URI=sip:127.0.0.1 SIP_USERNAME=build SIP_PASSWORD=build AGENT_SECRET=build \
    GROQ_BASE_URL=http://127.0.0.1 DIALING=rehearsal \
    /opt/venv/bin/python manage.py collectstatic --noinput
RUN /opt/venv/bin/python -m compileall -q /app

FROM ${PYTHON_IMAGE} AS outreach
# A user with no name on the host, no shell and no home; the directories become volumes that it owns.
RUN groupadd --gid 10001 outreach \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin outreach \
    && install -d -o outreach -g outreach -m 0700 \
        /var/lib/outreach /var/lib/outreach/spool /var/lib/outreach/imports /var/lib/outreach/backups
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH HOME=/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings
WORKDIR /app
USER outreach
CMD ["python", "manage.py", "help"]
# Last, so that a new revision of unchanged files makes no new layer.
ARG REVISION=unknown
LABEL org.opencontainers.image.title=outreach org.opencontainers.image.revision=${REVISION}

FROM ${CADDY_IMAGE} AS edge
RUN addgroup -g 10001 outreach && adduser -D -H -u 10001 -G outreach outreach \
    && chown -R outreach:outreach /data /config
USER outreach
