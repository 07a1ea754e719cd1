-- Who waits for whom, longest first.
SELECT
    waiting.pid AS waiting_pid,
    now() - waiting.query_start AS waits_since,
    left(waiting.query, 60) AS waiting_query,
    holder.pid AS holder_pid,
    holder.state AS holder_state,
    now() - holder.xact_start AS holder_since,
    left(holder.query, 60) AS holder_query
FROM pg_stat_activity AS waiting
CROSS JOIN LATERAL unnest(pg_blocking_pids(waiting.pid)) AS blocking (pid)
INNER JOIN pg_stat_activity AS holder ON holder.pid = blocking.pid
ORDER BY waits_since DESC;
