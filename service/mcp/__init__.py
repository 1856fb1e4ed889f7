"""The service for agents that speak the Model Context Protocol: over HTTP at `/mcp`, and over stdio by `python -m service.mcp`.

- `server`       the tools and resources, put together
- `strict_tools` a tool that refuses arguments which it does not declare, or of another type
- `desk`         what every tool is given: the service, the database, who is calling; refusals in words
- `grid_tools`   the grid: now, forecast, best windows, places compared
- `work_tools`   workloads: submit, look at, cancel, explain
- `data_tools`   the data itself: trust, trace, tables, queries
- `results`      shapes of what tools give; each has its age, how much is synthetic and where it came from
- `statements`   which SQL an agent may run; `reading` runs it as the reader
- `resources`    the glossary and the tables, to be read
- `door`         `/mcp`: tokens, hosts and origins
"""
