"""The whole stack on one machine, without Docker and without a JVM: `orderloom up`."""
