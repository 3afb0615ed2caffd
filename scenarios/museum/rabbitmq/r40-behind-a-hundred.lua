-- Priorities order what waits in the queue, not what is already with a consumer.
--
-- Fifty orders lie in a queue with priorities, all of the lowest. C takes as many as its prefetch allows, and works on each
-- for 100 ms. Then an order of the highest priority is published: it is the first that the queue will give out, and the
-- queue gives out nothing, for C has its hands full.
--
-- With a prefetch of one the urgent order is the next.
--
-- Source: RabbitMQ, Priority Queue Support ("interaction with consumers").
local function worker(c)
  c:sleep(seconds(2))
  c:subscribe("orders")
  local begun
  while true do
    for _, m in ipairs(c:poll(seconds(1), 1)) do
      begun = begun or c:now()
      c:sleep(ms(100))
      if m.body == "P2-1" then
        local waited = c:now() - begun - ms(500)  -- it was published half a second after C began
        if waited > seconds(1) then c:mark("urgent_order_late", "it waited for others") else c:mark("urgent_order_next") end
      end
      c:processed(m)
      c:ack(m)
    end
  end
end

return scenario {
  title = "An urgent order, and fifty in hand",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = { max_priority = 9 } },
  marks = { "urgent_order_late", "urgent_order_next" },
  clients = {
    producer "P1" { topic = "orders", records = 50, every = ms(1), start_at = seconds(1), priority = 0 },
    producer "P2" { topic = "orders", records = 1, start_at = ms(2500), priority = 9 },
    client "C" { program = worker, group = "g", explicit_acks = true },
  },
  run_for = seconds(20),
  expect = { holds "lost-message" },
  cases = {
    case "prefetch 100" {
      why = "All fifty are in hand already.",
      set = { ["C.prefetch"] = 100 },
      expect = { reaches "urgent_order_late" },
    },
    case "prefetch 1" {
      why = "One is, and the urgent one comes next.",
      set = { ["C.prefetch"] = 1 },
      expect = { reaches "urgent_order_next" },
    },
  },
}
