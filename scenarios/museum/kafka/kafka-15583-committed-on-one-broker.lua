-- min.insync.replicas=2, and a record with one copy. May consumers see it?
--
-- With acks=1 a leader takes records however small the ISR is: min.insync.replicas speaks of acks=all.
-- The other brokers can't fetch any more, so after half a minute the ISR is B1 alone. The controller
-- remembers B2 and B3 as eligible leader replicas (ELR): who was in the ISR when it fell below
-- min.insync holds all that was committed by then, and may lead without loss.
--
-- That is true only if nothing is committed afterwards. If the high watermark, the least log end of
-- {1}, goes on rising, K reads records that B1 alone has. B1 dies, B2 leads from the ELR without
-- them: what K has read is gone, and other records stand in its place.
--
-- The fix that came with the ELR: below min.insync.replicas the high watermark stands still,
-- whatever acks were asked for. The producer with acks=1 loses its records all the same, which is
-- what it asked for; but no consumer has acted on them.
--
-- Source: KAFKA-15583, KIP-966; Partition.maybeIncrementLeaderHW.
return scenario {
  title = "Committed on one broker",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 60, every = seconds(1), start_at = seconds(5), acks = "1", max_in_flight = 1 },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(seconds(10), partition { { "B1" }, { "B2", "B3" }, label = "between the brokers" }),
    when(mark "isr_shrunk", after(seconds(5), kill "B1" { duration = seconds(20) }, heal "between the brokers")),
  },
  run_for = seconds(120),
  expect = { reaches "isr_shrunk", reaches "leader_elected", violates "lost-message" },
  cases = {
    case "the least of the ISR" {
      why = "The ISR is B1, so whatever B1 has is committed.",
      set = { strict_min_isr = false },
      expect = { violates "truncated-commit" },
    },
    case "not below min.insync.replicas" {
      why = "Nothing is committed that an eligible leader lacks.",
      set = { strict_min_isr = true },
      expect = { holds "truncated-commit" },
    },
  },
}
