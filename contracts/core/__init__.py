"""What every part of the judge shares: exchanges, rules, findings, the target, and the events of a run."""
