"""Callbacks: operators are sent what happens to their workloads, signed, at least once and in order per workload.

The database writes an event in the transaction in which it happens (migration 20261126_2010); nothing here is between a decision
and its answer. docs/decisions/callbacks.md says what is sent and what holds.

- `addresses`      which URLs and addresses a callback may go to
- `signing`        secrets and signatures (Standard Webhooks)
- `sending`        one request, to an address that was checked
- `outbox`         what is to be sent, claimed and reported in the database
- `deliveries`     the loop that sends it
- `subscriptions`  who is called back, and where
"""
