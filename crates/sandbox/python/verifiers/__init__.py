"""Graders of special inputs."""
