"""The embedded server's log: what somebody should read, since the last start, and nothing else."""

from pathlib import Path

from warehouse import embedded_files, server_log

LOG = """\
2026-11-25 10:00:00 UTC [10] LOG:  starting PostgreSQL 17.2
2026-11-25 11:00:00 UTC [11] PANIC:  could not locate a valid checkpoint record
2026-11-26 10:00:00 UTC [20] LOG:  starting PostgreSQL 17.2
2026-11-26 10:00:01 UTC [21] ERROR:  duplicate key value violates unique constraint
2026-11-26 10:00:02 UTC [22] FATAL:  terminating connection due to administrator command
"""
SERIOUS = (
    "2026-11-26 10:00:03 UTC [20] LOG:  server process (PID 30) was terminated by signal 9: Killed",
    '2026-11-26 10:00:04 UTC [31] ERROR:  could not extend file "base/5/1": No space left on device',
    "2026-11-26 10:00:05 UTC [32] ERROR:  invalid page in block 7 of relation base/5/2",
)


def test_what_somebody_should_read_since_the_last_start(tmp_path: Path) -> None:
    assert server_log.serious(tmp_path) == []
    log = embedded_files.log_file(tmp_path)
    log.parent.mkdir()
    log.write_text(LOG)
    assert server_log.serious(tmp_path) == []
    log.write_text(LOG + "\n".join(SERIOUS) + "\n")
    assert server_log.serious(tmp_path) == list(SERIOUS)
