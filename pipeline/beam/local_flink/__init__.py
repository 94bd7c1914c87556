"""A Flink session cluster on this machine: `trial flink up` and `trial flink down`.

One job manager, and task managers that each have a Beam worker pool beside them. Where this user
may make network namespaces, every task manager with its pool is a host of its own, as on
Kubernetes; elsewhere there is one task manager, with as many slots.
"""
