"""A Flink session cluster on this machine: `trial flink up` and `trial flink down`.

One job manager, and task managers with a Beam worker pool each. Where this user may create network
namespaces, every task manager with its pool is a host of its own, as on Kubernetes; otherwise there
is one task manager with as many slots.
"""
