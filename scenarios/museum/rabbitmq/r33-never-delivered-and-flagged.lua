-- "Redelivered" says that a message may have been delivered before, not that it was.
--
-- Ten orders lie in a queue, and nobody has read one of them. The broker's process dies and comes back. A classic queue
-- does not know any more what it had handed out, so it flags all that it recovers. C takes the flag for "done already"
-- and skips them. Of all orders it does the one that came after the crash.
--
-- After a clean stop the queue knows; a quorum queue has it in its log. But no flag can tell C what C has done: that it
-- must remember itself.
--
-- Source: RabbitMQ, Reliability Guide ("redelivered" is a hint); rabbit_variable_queue (redeliver_seq_id).
local function worker(c)
  c:sleep(seconds(5))
  c:subscribe("orders")
  local done = {}
  while true do
    for _, m in ipairs(c:poll(seconds(1))) do
      local skip = done[m.body]
      if c.options.done_if == "redelivered" then skip = m.redelivered end
      if not skip then c:effect("mail", m) end
      done[m.body] = true
      c:processed(m)
      c:ack(m)
    end
  end
end

return scenario {
  title = "Flagged as redelivered, and never delivered",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = {} },
  knobs = { done_if = "redelivered" },
  clients = {
    producer "P1" { topic = "orders", records = 10, every = ms(10), start_at = seconds(1) },
    producer "P2" { topic = "orders", records = 1, start_at = seconds(10) },
    client "C" { program = worker, group = "g", explicit_acks = true },
  },
  faults = { at(seconds(2), kill "B1" { duration = seconds(1) }) },
  run_for = seconds(30),
  expect = { holds "lost-message" },
  cases = {
    case "skipped by the flag" {
      why = "All that was recovered has it.",
      expect = { violates "effect-lost" },
    },
    case "after a clean stop" {
      why = "The queue wrote down that none was out.",
      only_faults = { at(seconds(2), stop "B1" { duration = seconds(1) }) },
      expect = { holds "effect-lost" },
    },
    case "a quorum queue" {
      why = "Its log says that none was out.",
      set = { queue_type = "quorum" },
      expect = { holds "effect-lost" },
    },
    case "skipped by its own list" {
      why = "Who has done it knows it.",
      set = { done_if = "remembered" },
      expect = { holds "effect-lost" },
    },
  },
}
