"""Reading AO: one node, the pool of nodes, gateways. Gives observations; concludes nothing."""
