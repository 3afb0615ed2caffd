-- The leader compares sequence numbers with what it remembers. What if it remembers nothing yet?
--
-- P1 is idempotent and writes to a partition for the first time. Both followers are down, so the leader
-- refuses the first batch, A (number 0). B (number 1) is a little slower; when it arrives, the followers
-- are back. Of a producer that it does not know the leader takes any number, because what it knew may
-- have been lost. It takes B, and from now on A is "out of order" (45).
--
-- B's answer is lost as well. P1 sends both again, is told 45 for A and concludes: nothing of mine is
-- confirmed and A is the next in line, so there is a hole. It numbers A and B anew in a new epoch, and
-- the log reads B, A, B: a duplicate and a wrong order, from an idempotent producer set up as documented.
-- Where B's answer arrives, P1 waits for something before A that does not exist, and gives A up in the end.
--
-- The rule of Kafka 4.5: where no record ever was, no memory can have been lost, so B has to wait for A.
-- In a partition that others have written to the hole remains; there max.in.flight=1 closes it.
--
-- Source: KAFKA-15591, KIP-360; ProducerAppendInfo.checkSequence, TransactionManager.canRetry.
return scenario {
  title = "The first write to a partition is refused, the second is not",
  chapter = "docs/kafka/03-ordering-and-duplicates.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  marks = { "both_stored", "given_up" },
  clients = {
    client "P1" { acks = "all", idempotence = true, linger = 0, batch_bytes = 100, program = function(c)
      c:sleep(seconds(20))
      local a = c:send_async("orders", { body = "A" })
      local b = c:send_async("orders", { body = "B" })
      local stored = c:wait(a).ok
      stored = c:wait(b).ok and stored
      c:mark(stored and "both_stored" or "given_up")
    end },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(seconds(10), stop { "B2", "B3", duration = seconds(15) }),
    -- P1's second request: B, or the second attempt of A where B has to wait its turn.
    at(seconds(10), hold "Produce" { from = "P1", nth = 2, label = "second" }),
    when(mark "isr_expanded", after(ms(100), release "second")),
  },
  run_for = seconds(180),
  expect = { reaches "not_enough_replicas", reaches "producer_retry" },
  cases = {
    case "B's answer is lost" {
      why = "Neither confirmed: both are numbered anew, and B is there already.",
      faults = { when(mark "isr_expanded", drop "ProduceReply" { to = "P1" }) },
      expect = {
        reaches "out_of_order_sequence", reaches "producer_epoch_bumped",
        violates "duplicate", violates "duplicate-delivery", violates "fifo-violation",
      },
    },
    case "B's answer is lost, first_sequence_zero=true" {
      why = "An empty log takes nothing before A.",
      set = { first_sequence_zero = true },
      faults = { when(mark "isr_expanded", drop "ProduceReply" { to = "P1" }) },
      expect = {
        reaches "out_of_order_sequence", reaches "both_stored",
        holds "duplicate", holds "duplicate-delivery", holds "fifo-violation",
      },
    },
    case "B's answer is lost, max_in_flight=1" {
      why = "B does not leave before A is in.",
      set = { max_in_flight = 1 },
      faults = { when(mark "isr_expanded", drop "ProduceReply" { to = "P1" }) },
      expect = {
        reaches "duplicate_recognised", reaches "both_stored",
        holds "duplicate", holds "duplicate-delivery", holds "fifo-violation",
      },
    },
    case "B's answer arrives" {
      why = "B confirmed, A refused until its time is over.",
      expect = { reaches "out_of_order_sequence", reaches "given_up" },
    },
    case "B's answer arrives, first_sequence_zero=true" {
      why = "A first, then B.",
      set = { first_sequence_zero = true },
      expect = { reaches "out_of_order_sequence", reaches "both_stored", holds "nonmonotonic-send" },
    },
  },
}
