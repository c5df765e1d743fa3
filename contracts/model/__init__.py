"""The reference model: what the sources allow a deployment to answer, given all that it answered before."""
