"""The store in memory: organisations, their actions, histories, journals and snapshots."""
