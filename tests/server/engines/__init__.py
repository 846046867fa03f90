"""Tests of the two databases, each as an engine."""
