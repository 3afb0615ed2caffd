-- A quorum queue keeps returned messages in the order in which they came back.
--
-- W has three messages of one account in hand when it is told to stop. It cancels its consumer and gives each back, the
-- newest first: a stack, a loop from the end. Later it consumes again. A classic queue has put each where it was. A quorum
-- queue has a row of its own for what came back, drained before all else, and the first that came back is the first to go
-- out.
--
-- Given back from the oldest on, or all at once by basic.nack with `multiple`, they keep their order.
--
-- Source: rabbit_fifo (return_one, take_next_msg); the order was recorded from 3.10.8, tests/conformance/rabbitmq.json.
local function worker(c)
  c:subscribe("orders")
  local gave_up = false
  local got = {}
  while true do
    for _, m in ipairs(c:poll(seconds(1), 3)) do got[#got + 1] = m end
    if #got == 3 and not gave_up then
      local newest_first = c.options.way == "newest first"
      c:call("cancel", "orders")
      for i = 1, 3 do c:release(got[newest_first and 4 - i or i]) end
      gave_up, got = true, {}
      c:sleep(seconds(1))
      c:subscribe("orders")
    elseif gave_up then
      for _, m in ipairs(got) do
        c:processed(m)
        c:ack(m)
      end
      got = {}
    end
  end
end

return scenario {
  title = "Three messages given back, the newest first",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = { queue_type = "quorum" } },
  knobs = { way = "newest first" },
  clients = {
    producer "P1" { topic = "orders", records = 6, every = ms(1), start_at = seconds(1), keys = 1 },
    client "W" { program = worker, group = "g", explicit_acks = true, prefetch = 3 },
  },
  run_for = seconds(20),
  expect = { holds "lost-message" },
  cases = {
    case "newest first" {
      why = "They go out as they came back.",
      expect = { violates "key-order-violation" },
    },
    case "oldest first" {
      why = "So do these.",
      set = { way = "oldest first" },
      expect = { holds "key-order-violation" },
    },
    case "newest first, to a classic queue" {
      why = "It knows where each was.",
      set = { queue_type = "classic" },
      expect = { holds "key-order-violation" },
    },
  },
}
