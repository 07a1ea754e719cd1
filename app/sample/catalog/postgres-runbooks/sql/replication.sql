-- On the primary: how far behind each replica is, and what slots keep on disk.
SELECT
    application_name,
    state,
    pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)) AS behind,
    replay_lag
FROM pg_stat_replication;

SELECT
    slot_name,
    active,
    pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) AS kept_on_disk
FROM pg_replication_slots;
