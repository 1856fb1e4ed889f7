"""Captured forecasts that someone else kept, landed as vintages: `python -m pipelines.carbon_intensity.archive FOLDER`.

- `bodies`   a captured CSV or JSON file as the body that the API gave
- `files`    which files of a folder are captures, of which dataset and of which instant
- `__main__` the command: lands them with `origin = 'archive'` and the time of their capture

Formats and what is done with them: docs/runbooks/captured_forecasts.md.
"""
