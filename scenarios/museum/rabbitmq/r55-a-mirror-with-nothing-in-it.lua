-- A mirror leads because it is the oldest, not because it has the messages.
--
-- A classic queue of 3.13 with a mirror on each node. B2 is stopped for maintenance; P1 publishes five messages
-- meanwhile, each confirmed, for nobody waits for a mirror that is gone. B2 comes back with an empty mirror and gets
-- the sixth. Then B1 ends. B2 is the only mirror, so it leads: one message is there, five are nowhere, and when B1 is
-- back it throws away what it has and begins as an empty mirror itself.
--
-- With ha-promote-on-failure = when-synced the queue waits for B1 instead. With ha-sync-mode = automatic B2 has all
-- of it before B1 ends. A quorum queue elects only who has what was confirmed.
--
-- Source: RabbitMQ 3.13, Classic Queue Mirroring (unsynchronised mirrors); Vanlightly, How to Lose Messages on a
-- RabbitMQ Cluster (2018).
return scenario {
  title = "A mirror is promoted that lacks what was confirmed",
  chapter = "docs/rabbitmq/04-quorum-queues-and-partitions.md",
  cluster = rabbitmq { profile = "3.13", brokers = 2 },
  topics = { orders = { ha_mode = "all" } },
  clients = {
    producer "P1" { topic = "orders", records = 6, every = seconds(1), start_at = seconds(5), connects_to = "B1" },
    consumer "C" { topics = { "orders" }, start_at = seconds(25), connects_to = "B2", recovery_interval = seconds(1) },
  },
  faults = {
    at(seconds(3), stop "B2" { duration = ms(6500) }),
    at(seconds(15), kill "B1" { duration = seconds(30) }),
  },
  run_for = seconds(60),
  expect = { reaches "node_down" },
  cases = {
    case "always" {
      why = "Better a queue with gaps than none: the default.",
      expect = { reaches "mirror_promoted", violates "lost-message" },
    },
    case "when-synced" {
      why = "The queue is away as long as B1 is.",
      set = { ha_promote_on_failure = "when-synced" },
      expect = { reaches "mirror_not_promoted", holds "lost-message" },
    },
    case "automatic synchronisation" {
      why = "The mirror that comes back is given all of it at once.",
      set = { ha_sync_mode = "automatic" },
      expect = { reaches "mirror_synchronised", reaches "mirror_promoted", holds "lost-message" },
    },
    case "quorum queue" {
      why = "Three replicas: who leads has what was confirmed.",
      set = { ha_mode = "none", queue_type = "quorum", ["cluster.brokers"] = 3 },
      expect = { reaches "leader_elected", holds "lost-message" },
    },
  },
}
