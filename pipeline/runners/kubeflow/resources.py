"""Resources of a task, as the specification of a package has them."""

from __future__ import annotations

from typing import Any

from pipeline.runners.kubeflow.settings import Resources, gigabytes

Spec = dict[str, Any]


def resource_spec(wanted: Resources) -> Spec:
    """Resources in the fields of KFP before 2.4 and in those since."""
    cpu, memory = wanted.requested
    resources: Spec = {
        "cpuRequest": cpu,
        "cpuLimit": wanted.cpu,
        "memoryRequest": gigabytes(memory),
        "memoryLimit": gigabytes(wanted.memory),
        "resourceCpuRequest": f"{cpu:g}",
        "resourceCpuLimit": f"{wanted.cpu:g}",
        "resourceMemoryRequest": memory,
        "resourceMemoryLimit": wanted.memory,
    }
    if wanted.accelerator:
        resources["accelerator"] = {
            "type": wanted.accelerator.type,
            "count": str(wanted.accelerator.count),
            "resourceType": wanted.accelerator.type,
            "resourceCount": str(wanted.accelerator.count),
        }
    return resources
