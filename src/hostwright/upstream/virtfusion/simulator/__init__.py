"""A working stand-in for VirtFusion: a hosting company that tests and the demo run on."""

from hostwright.upstream.virtfusion.simulator.app import VirtFusionSimulator
from hostwright.upstream.virtfusion.simulator.facts import WorldPlan
from hostwright.upstream.virtfusion.simulator.world import World, WorldBroken

__all__ = ["VirtFusionSimulator", "World", "WorldBroken", "WorldPlan"]
