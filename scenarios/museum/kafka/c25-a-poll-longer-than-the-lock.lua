-- A member of a share group polls ten records and works on one after the other, 4 s each. When does it say that they are
-- done?
--
-- With implicit acknowledgement, which is the default: with the next poll, all ten at once. That is after 40 s, and the
-- records were lent for 30 s, all from the same moment on. The leader has taken them back meanwhile. It refuses the
-- acknowledgement, INVALID_RECORD_STATE, and of a request it refuses all or nothing: not one of the ten counts as done.
-- The same member gets them again, works on them again, and comes too late again. Nothing in this is an error that
-- anybody sees: the consumer polls, the work is done, three times over. Then the leader grows careful: what failed that
-- often it hands out in halves, and five records, 20 s, are done in time. Early versions did not, and after five
-- deliveries all ten were given up, each of them worked on five times and, as far as Kafka knows, never.
--
-- First case: ten records a poll. Second case: five, 20 s of work for 30 s of lock. It is not the time of one record that
-- must fit into the lock, but that of all that are taken at once.
-- (KIP-932, "Acknowledgement types"; SharePartition.acknowledge, rollbackOrProcessStateUpdates; ShareConsumerImpl.poll.)
return scenario {
  title = "A poll that takes longer than its records are lent",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1, share_auto_offset_reset = "earliest" },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(50), start_at = seconds(1) },
    consumer "K1" {
      topics = { "orders" }, group = "workers", group_protocol = "share", start_at = seconds(5),
      max_poll_records = 10, work = seconds(4), effect = "sent a letter",
    },
  },
  run_for = seconds(60),
  cases = {
    case "ten records a poll" {
      why = "The acknowledgement of all ten comes after the lock.",
      expect = { violates "effect-duplicate", violates "duplicate-delivery", reaches "record_lock_expired" },
    },
    case "five records a poll" {
      why = "It comes before.",
      set = { max_poll_records = 5 },
      expect = { holds "effect-duplicate", holds "duplicate-delivery", holds "lost-message" },
    },
  },
}
