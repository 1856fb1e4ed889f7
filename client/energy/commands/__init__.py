"""The `energy` command, a module for each kind of subcommand.

- `parser`       what it takes; exit codes
- `look`         now, best
- `workloads`    submit, status, cancel; `receipt` is what a finished one saved
- `run`          run: waits for the moment and runs a command; `child` is the command, `signals` what is passed on to it
- `schedulers`   sbatch, at
- `split`        the pauses of work that may be interrupted
- `chart`        a plan as a small text chart; `printed` lines for a terminal
"""
