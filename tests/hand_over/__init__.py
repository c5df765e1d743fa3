"""Whether each finding can be handed over: a replay, a generated test and the printed curl lines show it, and tell when it is mended."""
