-- The ISR is about to grow by one. Does a record have to wait for the one who is not in it yet?
--
-- B1 leads with B3 in the ISR; B2 was down, has caught up, and B1 asks the controller to take B2 in.
-- The request is slow. Meanwhile P1 sends a record: B3 has it, B2 does not. If B1 still counts the
-- ISR that it knows, {1,3}, the high watermark passes the record and P1 is told that it is stored.
-- Now the request reaches the controller, and the ISR is {1,2,3}. Before B1 hears of that, it dies.
-- The controller picks the first living member of the ISR: B2, which lacks the record.
--
-- The fix: from the moment it asks, the leader counts the larger of both, the maximal ISR. The
-- controller may have said yes at any time since, so a record that B2 lacks is not committed.
-- Sources: KIP-497, KAFKA-8836, Partition.maximalIsr; AsyncIsr.tla (hachikuji/kafka-specification).
return scenario {
  title = "The high watermark over an ISR that has already grown",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 30, every = seconds(1), start_at = seconds(2), acks = "all" },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(ms(4500), kill "B2" { duration = seconds(20) }),
    when(mark "restarted" { from = "B2" }, hold "AlterPartition" { from = "B1", to = "C1", label = "request" }),
    -- B2 has caught up and B1 has asked; what comes now reaches B2 late.
    when(sent "AlterPartition" { from = "B1" }, hold "FetchReply" { from = "B1", to = "B2", label = "record" }),
    -- The first record after that. Then the controller says yes, and B1 does not live to hear it.
    when(op "send invoke" { from = "P1", nth = 25 }, after(ms(300), release "request")),
    when(mark "isr_expanded", kill "B1" { duration = seconds(20) }),
  },
  run_for = seconds(60),
  expect = { reaches "isr_shrunk", reaches "isr_expanded", reaches "leader_elected" },
  cases = {
    case "the old ISR" {
      why = "B1 counts {1,3} until it is told otherwise.",
      set = { hw_isr = "committed" },
      expect = { violates "lost-message", violates "inconsistent-offsets" },
    },
    case "the larger of both" {
      why = "B1 counts {1,2,3} since it asked.",
      set = { hw_isr = "maximal" },
      expect = { holds "lost-message", holds "inconsistent-offsets" },
    },
  },
}
