"""Hostwright: the control panel a hosting company runs its business on."""

__version__ = "0.1.0"
