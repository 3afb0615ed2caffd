-- One bit of one record flips on the leader's disk. How much is lost?
--
-- B2 and B3 are down and B1 is alone in the ISR. With min_insync=1 P1 is told of every record that
-- it is stored. A bit of the first of these records flips, and B1's process dies and is started
-- again. There was no clean shutdown, so B1 reads its log again from the recovery point on, up to
-- which it had flushed; it never had. It stops at the record that does not match its checksum. What
-- follows may be whole, but a log has no holes: all of it is cut off. B1 leads again, and B2 and B3
-- copy the shorter log. One bit has become the loss of all that P1 wrote meanwhile.
--
-- Two brokers for each record (min_insync=2) do not keep the log from being cut, but from mattering:
-- B1 alone confirms nothing, and P1 sends it all again.
-- To flush every record is no help. Below the recovery point B1 trusts its log and keeps the bad
-- record, and neither followers nor consumers get past it: nothing is cut, and the partition is stuck.
-- Sources: LogLoader.recoverLog; Ganesan et al., Redundancy Does Not Imply Fault Tolerance, FAST 2017.
return scenario {
  title = "A flipped bit becomes a shorter log",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { profile = "3.9", brokers = 3, controllers = 1, min_insync = 1 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 25, every = seconds(1), start_at = seconds(2), acks = "all" },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(ms(4500), kill { "B2", "B3", duration = seconds(35) }),
    at(seconds(20), bit_rot "B1" { file = "orders/0", unit = 3 }),
    at(ms(20500), kill "B1" { duration = seconds(2) }),
  },
  run_for = seconds(70),
  expect = { reaches "isr_shrunk" },
  cases = {
    case "one copy" {
      why = "What B1 cuts off, nobody else has.",
      expect = { violates "lost-message", violates "inconsistent-offsets", reaches "log_recovered" },
    },
    case "two copies" {
      why = "P1 is told nothing that B1 has alone.",
      set = { ["cluster.min_insync"] = 2 },
      expect = { holds "lost-message", holds "inconsistent-offsets", reaches "log_recovered" },
    },
    case "one copy, flushed" {
      why = "Nobody looks below the recovery point, until somebody reads there.",
      set = { flush_messages = 1 },
      expect = { reaches "corrupt_batch" },
    },
  },
}
