-- Two requests are on the wire, and the first one fails. In which order do the records end up?
--
-- P1 sends A and B one after the other and waits for neither: up to five requests may be without an
-- answer. Both followers are down for maintenance, so the leader refuses A: with min.insync.replicas=2
-- it must not take it alone. B is a little slower on the network; when it arrives, the followers are
-- back, and it is written. A is sent again and written behind B. Nobody lost anything, nobody is told
-- of an error, and the order is another one than the application's.
--
-- With idempotence B carries the number that follows A's, and the leader refuses B as long as A is
-- missing (out of order); P1 sends both again, A first. With max.in.flight.requests.per.connection=1
-- B does not leave before A is done: order without numbers, paid for with a round trip per request.
--
-- librdkafka keeps a million requests in flight without idempotence unless told otherwise.
-- Source: KIP-98; ProducerAppendInfo.checkSequence, RecordAccumulator.reenqueue; librdkafka, INTRODUCTION.md.
return scenario {
  title = "A retry is overtaken by the request behind it",
  chapter = "docs/kafka/03-ordering-and-duplicates.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    client "P1" { acks = "all", linger = 0, batch_bytes = 100, program = function(c)
      c:sleep(seconds(5))
      for n = 1, 3 do c:send("orders", { body = "m" .. n }) end
      c:sleep(seconds(15))
      local a = c:send_async("orders", { body = "A" })
      local b = c:send_async("orders", { body = "B" })
      c:wait(a)
      c:wait(b)
    end },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(seconds(10), stop { "B2", "B3", duration = seconds(15) }),
    -- P1's second request from now on: B, or the second attempt of A where B has to wait its turn.
    at(seconds(10), hold "Produce" { from = "P1", nth = 2, label = "B" }),
    when(mark "isr_expanded", after(ms(100), release "B")),
  },
  run_for = seconds(60),
  expect = { reaches "not_enough_replicas", reaches "producer_retry", reaches "isr_expanded" },
  cases = {
    case "idempotence=false" {
      why = "Five requests in flight, and the leader writes them as they come.",
      set = { idempotence = false },
      expect = { violates "nonmonotonic-send", violates "fifo-violation" },
    },
    case "idempotence=true" {
      why = "The leader refuses B until it has A.",
      set = { idempotence = true },
      expect = { reaches "out_of_order_sequence", holds "nonmonotonic-send", holds "fifo-violation" },
    },
    case "max_in_flight=1" {
      why = "B stays at home until A is done.",
      set = { idempotence = false, max_in_flight = 1 },
      expect = { holds "nonmonotonic-send", holds "fifo-violation" },
    },
  },
}
