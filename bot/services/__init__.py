"""What Patchbell does. Each service takes a store, a clock and a transport, and owes messages to the outbox."""
