"""The worker's machinery. With `hostwright.worker` the only place that imports the queue's library."""

from hostwright.core.work.runtime import Worker

__all__ = ["Worker"]
