-- Idempotent, acks=all, no duplicates, in order. Can a message in the middle be missing?
--
-- P1 sends five messages and is cut off after the first. Two and three are sent into the silence, again
-- and again, and are given up after delivery.timeout.ms. The application is told so, makes a note in
-- its own log and goes on: four and five are sent, the network heals, and they are stored. The
-- partition holds 1, 4, 5, and no promise is broken: nothing that was acknowledged is missing, and
-- what is there is there once and in order.
--
-- The sequence numbers do not show the hole. The producer, unsure whether two and three had arrived,
-- went on in a new epoch from 0, and to the broker that is a new beginning. Idempotence means "not
-- twice, and in order"; it does not mean "without gaps". The gap comes from ignoring an error.
--
-- The fix is to stop at the first send that does not end well, and to throw away what the library still
-- holds (in Java: close with a timeout of 0). Then the partition holds a beginning of what was sent.
--
-- Source: KIP-91, KIP-360, TransactionManager.maybeResolveSequences; librdkafka, INTRODUCTION.md.
return scenario {
  title = "Two messages time out, and the next ones are stored",
  chapter = "docs/kafka/03-ordering-and-duplicates.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  marks = { "gap", "no_gap" },
  clients = {
    producer "P1" { topic = "orders", records = 5, every = seconds(10), start_at = seconds(5), window = 2 },
    client "C" { auto_offset_reset = "earliest", program = function(c)
      c:assign("orders", "beginning")
      local seen, highest = {}, 0
      while c:now() < seconds(170) do
        for _, m in ipairs(c:poll(seconds(1))) do
          local number = tonumber(m.body:match("%d+$"))
          seen[number] = true
          highest = math.max(highest, number)
          c:processed(m)
        end
      end
      for number = 1, highest do
        if not seen[number] then
          c:mark("gap", highest .. " is there, " .. number .. " is not")
          return
        end
      end
      c:mark("no_gap", "all up to " .. highest)
    end },
  },
  faults = {
    at(seconds(10), drop "Produce" { from = "P1" }, isolate "P1" { duration = seconds(140) }),
  },
  run_for = seconds(180),
  expect = { reaches "request_timed_out", holds "lost-message", holds "duplicate" },
  cases = {
    case "stop_on_error=false" {
      why = "The application goes on after an error.",
      set = { stop_on_error = false },
      expect = { reaches "producer_epoch_bumped", reaches "gap", holds "nonmonotonic-send" },
    },
    case "stop_on_error=true" {
      why = "Nothing is sent after what may be missing.",
      set = { stop_on_error = true },
      expect = { reaches "no_gap" },
    },
  },
}
