-- A long history, made up by PostgreSQL itself (benchmarks/history.py says what the parameters are).
-- A third of the calls talk, people stand where their calls left them, turns have frequent words and rare ones.

CREATE TEMP TABLE syllables AS SELECT ARRAY['ba','ce','di','fo','gu','ha','ke','li','mo','nu','pa','re','si',
    'to','vu','zé'] AS s;
CREATE TEMP TABLE given AS SELECT ARRAY['Anna','Zoë','José','Łucja','Omar','Mei','Kofi','Søren','Inês','Ruth',
    'Ali','Eva','Noah','Lena','Ivan','Amélie','Tom','Aiko','Lars','Nina'] AS names;
CREATE TEMP TABLE sentences AS
SELECT n, (SELECT string_agg(s[1 + (r * 13) %% 16] || s[1 + (r / 16) %% 16] || s[1 + (r / 256) %% 16], ' ')
    FROM (SELECT (4096 * power(random(), 3))::int + n * 0 AS r FROM generate_series(1, 10)) AS picked) AS text
FROM generate_series(0, 19999) AS n, syllables;

-- Every tenth person is new; the others have been called three or four times each.
INSERT INTO outreach_facilitator (campaign_id, name, number, email, organisation, language, country,
    time_zone, zone_source, priority, consent_basis, consent_source, extra, import_batch_id, standing,
    standing_reason, next_call_at, attempts_made, our_faults, callbacks_unkept, voicemail_left, wish,
    not_called_code, not_called_reason, created_at, updated_at)
SELECT (%(campaigns)s::bigint[])[1 + n * 4 / (%(people)s + 1)],
    names[1 + n / 10 %% 20] || ' ' || initcap(s[1 + n %% 16] || s[1 + n / 16 %% 16] || s[1 + n / 256 %% 16]),
    (ARRAY['+1212', '+4420', '+3491', '+3314'])[1 + n %% 4] || lpad((n * 7368787::bigint %% 10000000)::text, 7, '0'),
    'person' || n || '@example.org', 'Org ' || s[1 + n %% 16] || s[1 + n / 7 %% 16] || n %% 5000, 'en',
    (ARRAY['US', 'GB', 'ES', 'FR'])[1 + n %% 4],
    (ARRAY['America/New_York', 'Europe/London', 'Europe/Madrid', 'Europe/Paris'])[1 + n %% 4], 'given',
    1 + (n::bigint * 7919) %% 9, CASE WHEN n %% 50 = 0 THEN '' ELSE 'express_written' END, '', '{}',
    (%(batches)s::bigint[])[1 + n::bigint * 20 / (%(people)s + 1)], stands,
    CASE WHEN stands IN ('held', 'needs_review') THEN 'Made up.' ELSE '' END,
    CASE WHEN stands IN ('new', 'retry_due', 'callback_due')
        THEN CASE WHEN n %% 3 = 0 AND stands = 'retry_due'
            THEN date_trunc('day', %(now)s) + interval '1 day' + n %% 4 * interval '1 hour'
            ELSE %(now)s + ((n::bigint * 104729) %% 172800 - 3600) * interval '1 second' END END,
    CASE WHEN stands = 'new' THEN 0 ELSE 1 + n %% 4 END, 0, 0, false, '',
    CASE WHEN n %% 50 = 0 THEN 'no_consent' WHEN n %% 3 = 0 AND stands = 'retry_due' THEN 'outside_window'
        ELSE '' END, '', %(since)s, %(since)s
FROM (SELECT n, CASE WHEN n %% 10 = 0 THEN 'new'
        ELSE (ARRAY['retry_due', 'retry_due', 'exhausted', 'exhausted', 'interested', 'not_interested',
            'retry_due', 'callback_due', 'suppressed', 'held'])[1 + n / 10 %% 10] END AS stands
    FROM generate_series(1, %(people)s) AS n) AS numbered, syllables, given;

INSERT INTO outreach_call (id, channel, facilitator_id, campaign_id, script_id, number, caller_id,
    requested_by, kind, standing_before, standing_reason_before, token, twilio_sid, status, answered_by,
    disposition, ended_by, failure_code, failure_reason, our_fault, counts, stage, agent_worker, agent_job,
    queued_at, preparing_at, ready_at, dialing_at, placed_at, ringing_at, answered_at, ended_at,
    end_received_at, settled_at, duration_seconds, empty_lists, n_turns, n_notes, transcript, cost,
    cost_currency, cost_state, tally_due)
SELECT gen_random_uuid(), 'phone', f.id, f.campaign_id, %(script)s, f.number,
    '+1303555010' || c %% %(callers)s, '', CASE WHEN c %% 3 = 0 THEN 'first' WHEN c %% 50 = 0 THEN 'callback' ELSE 'retry' END, '', '',
    'token' || c, 'CA' || md5(c::text),
    CASE WHEN talks OR c %% 100 < 45 THEN 'completed' WHEN c %% 100 < 85 THEN 'no_answer'
        WHEN c %% 100 < 95 THEN 'busy' ELSE 'failed' END,
    CASE WHEN talks THEN 'human' WHEN c %% 100 < 45 THEN 'voicemail' ELSE '' END,
    CASE WHEN talks THEN (ARRAY['interested', 'callback_requested', 'not_interested', 'hung_up', 'hung_up',
        'no_outcome', 'do_not_call'])[1 + c %% 7] ELSE '' END,
    CASE WHEN talks THEN 'callee' ELSE '' END, '', '', false, true,
    CASE WHEN talks THEN (ARRAY['opening', 'permission', 'pitch', 'close'])[1 + c %% 4] ELSE '' END,
    'worker', '', at, at, at, at, at, at, CASE WHEN c %% 100 < 45 THEN at + interval '9 seconds' END,
    at + interval '3 minutes', CASE WHEN talks THEN at + interval '3 minutes' END, at + interval '4 minutes',
    CASE WHEN c %% 100 < 45 THEN 5 + c * 31 %% 400 END, 0, CASE WHEN talks THEN %(turns)s END, 0,
    CASE WHEN talks THEN 'complete' ELSE 'open' END,
    0.02, 'USD', 'billed', false
FROM (SELECT c, c %% 100 < %(talks)s AS talks, 1 + c * 7919 %% %(people)s AS n,
        %(since)s + c * 0.9 * ((%(now)s - %(since)s) / %(calls)s::float8) AS at
    FROM generate_series(1, %(calls)s::bigint * 10 / 9 + 10) AS c) AS numbered
JOIN outreach_facilitator f ON f.id = numbered.n AND f.standing <> 'new' ORDER BY c;

INSERT INTO outreach_turn (call_id, seq, speaker, text, stage, interrupted, said_at)
SELECT call.id, seq, CASE WHEN seq %% 2 = 1 THEN 'alex' ELSE 'person' END,
    text || CASE WHEN seq = 4 THEN ' ' || substr(call.id::text, 1, 8) ELSE '' END,
    (ARRAY['opening', 'permission', 'pitch', 'pitch', 'questions', 'close'])[1 + seq / 2], seq = 5,
    call.answered_at + seq * interval '9 seconds'
FROM (SELECT row_number() OVER (ORDER BY queued_at) AS nth, id, answered_at FROM outreach_call
        WHERE answered_by = 'human') AS call, generate_series(1, %(turns)s) AS seq
JOIN sentences ON true WHERE sentences.n = (call.nth * 7 + seq * 1009) %% 20000;

-- What happened around the calls: fewer rows each, all of them on the pages.

INSERT INTO outreach_callevent (source, event_id, call_id, kind, payload, incident, received_at)
SELECT 'twilio', 'made-up-' || twilio_sid, id, 'completed', '{}', false, ended_at
FROM outreach_call ORDER BY queued_at;

INSERT INTO outreach_note (call_id, seq, text, turn_seq, noted_at)
SELECT call_id, 1, text, seq, said_at FROM outreach_turn WHERE seq = 6 ORDER BY id;

INSERT INTO outreach_callback (facilitator_id, agreed_in_id, promised_at, time_zone, by, reason,
    caller_id, state, was_missed, closed_at, created_at)
SELECT DISTINCT ON (c.facilitator_id) c.facilitator_id, c.id, coalesce(f.next_call_at,
        c.ended_at + interval '1 day'), f.time_zone, CASE WHEN f.id %% 9 = 0 THEN 'human' ELSE 'alex' END,
    '', c.caller_id, CASE WHEN f.standing = 'callback_due' THEN 'promised' ELSE 'kept' END, false,
    CASE WHEN f.standing <> 'callback_due' THEN c.ended_at + interval '1 day' END, c.ended_at
FROM outreach_call c JOIN outreach_facilitator f ON f.id = c.facilitator_id
WHERE c.disposition = 'callback_requested' ORDER BY c.facilitator_id, c.queued_at;

INSERT INTO outreach_interest (facilitator_id, call_id, turn_seq, due_at, note, handled_at, handled_by,
    created_at)
SELECT DISTINCT ON (facilitator_id) facilitator_id, id, 4, ended_at + interval '1 day', '',
    CASE WHEN queued_at < %(now)s - interval '7 days' THEN ended_at END, '', ended_at
FROM outreach_call WHERE disposition = 'interested' ORDER BY facilitator_id, queued_at;

INSERT INTO outreach_suppression (number, source, reason, call_id, created_by, created_at)
SELECT DISTINCT ON (number) number, 'call', '', id, '', ended_at
FROM outreach_call WHERE disposition = 'do_not_call' ORDER BY number, queued_at;

INSERT INTO outreach_decision (facilitator_id, code, reason, next_call_at, decided_at)
SELECT id, not_called_code, 'Made up.', next_call_at, updated_at
FROM outreach_facilitator WHERE not_called_code <> '';

INSERT INTO outreach_summary (call_id, state, tries, problem, text, fields, dropped, model, made_at)
SELECT call_id, 'made', 1, '', text, '[]', 0, 'made-up', said_at FROM outreach_turn WHERE seq = 8
ORDER BY id;

UPDATE outreach_facilitator f SET last_disposition = newest.disposition
FROM (SELECT DISTINCT ON (facilitator_id) facilitator_id, disposition FROM outreach_call
    ORDER BY facilitator_id, queued_at DESC) AS newest
WHERE newest.facilitator_id = f.id AND newest.disposition <> '';

INSERT INTO outreach_peoplecount (n, campaign_id, standing, code, opens_at, time_zone)
SELECT count(*), campaign_id, standing, not_called_code,
    CASE WHEN not_called_code = 'outside_window' THEN next_call_at END,
    CASE WHEN not_called_code = 'outside_window' THEN time_zone ELSE '' END
FROM outreach_facilitator GROUP BY 2, 3, 4, 5, 6;

INSERT INTO outreach_tally (day, campaign_id, script_id, caller_id, thing, key, n, amount)
SELECT (queued_at AT TIME ZONE 'UTC')::date, campaign_id, script_id, caller_id, thing, key, count(*),
    sum(amount)
FROM outreach_call, LATERAL (VALUES
    ('calls', 'begun', true, 0), ('calls', 'dialled', true, 180),
    ('calls', 'answered', answered_at IS NOT NULL, 0), ('calls', 'human', answered_by = 'human', 0),
    ('calls', 'reached', answered_by = 'human' AND kind = 'first', 0),
    ('calls', 'interested', disposition = 'interested' AND kind = 'first', 0),
    ('calls', 'callback', disposition = 'callback_requested', 0),
    ('calls', 'refused', disposition = 'not_interested', 0),
    ('calls', 'opt_out', disposition = 'do_not_call', 0), ('status', status, true, 0),
    ('outcome', disposition, disposition <> '', 0), ('stage', stage, disposition = 'hung_up', 0),
    ('talk', (duration_seconds - duration_seconds %% 5)::text, answered_by = 'human', duration_seconds),
    ('pace', to_char(queued_at AT TIME ZONE 'UTC', 'HH24'), true, 0),
    ('hour', extract(isodow FROM queued_at)::int - 1 || '-' || extract(hour FROM queued_at)::int
        || ' dialled', true, 0),
    ('hour', extract(isodow FROM queued_at)::int - 1 || '-' || extract(hour FROM queued_at)::int
        || ' human', answered_by = 'human', 0),
    ('attempt', (1 + length(kind) %% 3)::text, answered_by = 'human' AND kind = 'first', 0),
    ('cost', 'USD', true, cost)
) AS added (thing, key, so, amount) WHERE so GROUP BY 1, 2, 3, 4, 5, 6;
