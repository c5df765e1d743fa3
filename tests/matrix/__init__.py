"""The judge against every mutant and every conforming variant: who is caught, by which rules, how soon, and who is missed."""
