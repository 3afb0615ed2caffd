-- The leader changed, the consumer read on at the next offset, no error anywhere. What did it miss?
--
-- B3 can't fetch for a while: its log ends at 10, and it leaves the ISR. The ten records that P1 then
-- sends stand on B1 and B2, and K reads them, offsets 10 to 19. At that moment a zone fails: B1 and B2
-- die, before P1 has an answer, and for the next 40 seconds P1 and K see nobody.
--
-- With unclean elections B3 leads, short as its log is, and P2's twenty records take the offsets 10
-- to 29. When K sees the network again it asks B3 for offset 20, and B3 has an offset 20. So K reads
-- on. It holds ten records of a history that is no more, and it never gets the first ten of P2, which
-- stand at 10 to 19 of the history that is. There was no error, and its lag is 0.
--
-- KIP-320: the leader epoch of the last record read belongs to the position. After a change of leader
-- K asks where that epoch ended; B3 answers 10, which is below 20, and K goes back to 10 (with
-- auto_offset_reset=none the application is told instead). Now it gets all of P2. That what it had
-- read at 10 to 19 is something else now, no consumer can mend: that is the price of the unclean
-- election. Without one the partition waits for B2, and there is never a second history.
--
-- Source: KIP-320; SubscriptionState.maybeCompleteValidation of the Java client.
return scenario {
  title = "An unclean election, and a consumer that skips in silence",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { profile = "3.9", brokers = 3, min_insync = 1, unclean_election = true },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P0" { topic = "orders", records = 10, every = seconds(1), start_at = seconds(5), acks = "all" },
    producer "P1" { topic = "orders", records = 10, every = 0, start_at = seconds(35), acks = "all" },
    producer "P2" { topic = "orders", records = 20, every = ms(100), start_at = seconds(75), acks = "all" },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(seconds(29), partition { { "B3" }, { "B1", "B2" }, duration = seconds(60) }),
    when(mark "isr_shrunk",
      partition { { "P1" }, { "rest" }, duration = seconds(40) },
      after(ms(500),
        kill { "B1", "B2", duration = seconds(60) },
        partition { { "K" }, { "rest" }, duration = seconds(40) })),
  },
  run_for = seconds(180),
  expect = { reaches "isr_shrunk", reaches "leader_elected" },
  cases = {
    case "unclean, before KIP-320" {
      why = "A position is a number, and any log that is long enough has it.",
      set = { position_validation = false },
      expect = { reaches "unclean_election", violates "lost-message", violates "truncated-commit" },
    },
    case "unclean, KIP-320" {
      why = "A position is a number in an epoch.",
      expect = {
        reaches "unclean_election", reaches "log_truncation_detected",
        holds "lost-message", violates "truncated-commit",
      },
    },
    case "unclean elections off" {
      why = "Nobody leads who lacks what K has read.",
      set = { ["cluster.unclean_election"] = false, position_validation = false },
      expect = { reaches "partition_offline", holds "lost-message", holds "truncated-commit", holds "duplicate" },
    },
  },
}
