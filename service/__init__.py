"""SERVE: takes workloads in, places them in time and space, and answers agents.

    python -m service                 the HTTP API and the status page
    python -m service token --operator "Example Northern Cloud"     a bearer token for an operator

`app.py` puts the parts together; `submission.py` is the way of a workload; `words/` reads its request; `placement.py` decides;
`outlook.py` is what is known of the grid, `ages.py` how old that is. The service writes schema `app` alone and reads
`public`.
"""
