-- A record that fails is given back, and somebody tries it again. How often?
--
-- The payment for P1-7 cannot be booked: each try fails. The members do as they should, they release the record, and the
-- leader hands it out again. It counts. When a record that was delivered five times would be free once more, the leader
-- archives it instead: no member gets it any more, and the group goes on behind it as if it were done. Nobody is told.
-- The producer was told long ago that its record is safe, and so it is; it was only never booked.
--
-- The limit is there for a good reason: without it one bad record would be tried for ever. But Kafka has no dead-letter
-- topic of its own for share groups, so that the application must bring one. First case: whoever fails releases. Second
-- case: whoever fails sends the record to the topic `unbooked`, waits until it is safe there, and then rejects it: it is
-- archived too, but somebody knows.
-- (KIP-932, group.share.delivery.count.limit; InFlightState.tryUpdateState.)
return scenario {
  title = "Given up after five deliveries, and nobody is told",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1, share_auto_offset_reset = "earliest" },
  topics = { orders = { partitions = 1, replicas = 3 }, unbooked = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(100), start_at = seconds(7) },
    consumer "K1" { topics = { "orders" }, group = "booking", group_protocol = "share", max_poll = 1, work = ms(20), effect = "booked", poison = { "P1-7" }, on_failure = "skip" },
    consumer "K2" { topics = { "orders" }, group = "booking", group_protocol = "share", max_poll = 1, work = ms(20), effect = "booked", poison = { "P1-7" }, on_failure = "skip" },
  },
  run_for = seconds(20),
  cases = {
    case "released, for another try" {
      why = "The fifth failure is the last, and the record is gone for the group.",
      set = { ack = "release_failed" },
      expect = { violates "effect-lost", reaches "record_archived", holds "lost-message" },
    },
    case "put aside, then rejected" {
      why = "What cannot be done is somewhere, where somebody can see it.",
      set = { ack = "reject_failed", on_failure = "dead_letter", dead_letter_topic = "unbooked" },
      expect = { holds "effect-lost", reaches "record_archived", holds "lost-message" },
    },
  },
}
