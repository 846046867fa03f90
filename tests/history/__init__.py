"""Histories of whole runs over several servers: how they are made and recorded, and what must hold of every one."""
