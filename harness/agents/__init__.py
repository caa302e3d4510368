"""Agents: who refactors. Controls play known patches; the others are driven by models."""

from harness.agents.protocol import Agent, AgentReport, Assignment

__all__ = ["Agent", "AgentReport", "Assignment"]
