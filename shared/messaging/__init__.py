"""From a committed change to a handled effect: outbox, relay, Kafka, inbox, consumer."""
