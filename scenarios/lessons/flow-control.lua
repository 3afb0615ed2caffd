-- A publisher is faster than the queue. Nobody says no, and nothing is lost: who waits, and where?
--
-- P writes ten thousand messages a second, for 0.3 s. The queue's process needs a millisecond for
-- each. RabbitMQ's processes give each other credit: 400 messages, and 200 more for each 200 handled. The channel, out
-- of credit, gives its reader none; the reader stops reading; the socket's buffer fills; TCP stops P. No method of AMQP
-- says so, and an operator sees one word: the connection is in "flow".
--
-- A quorum queue has no credits, and the same end: its channel waits while 32 of its messages are not with a majority.
--
-- Source: RabbitMQ, Flow Control; credit_flow.erl; rabbit_fifo_client (quorum_commands_soft_limit).
local function publisher(c)
  c:sleep(seconds(1))
  local sends = {}
  local before = c:now()
  for n = 1, 3000 do
    sends[n] = c:send_async("orders", { body = "order " .. n, size = 1000 })
    c:sleep(us(100))
  end
  for n = 1, 3000 do c:wait(sends[n]) end
  local took = c:now() - before
  if took < ms(310) then c:mark("went_through", "it took as long as it wanted to: 0.3 s")
  else c:mark("was_stopped", "its last message left late: " .. tostring(took) .. " instead of 0.3 s") end
end

return scenario {
  title = "A publisher that is stopped by its socket",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  marks = { "went_through", "was_stopped" },
  cluster = rabbitmq { brokers = 3 },
  topics = { orders = { partitions = 1 } },
  clients = {
    client "P" { program = publisher, confirms = false },
    consumer "K1" { topics = { "orders" }, group = "billing" },
  },
  links = { latency = ms(1) },
  run_for = seconds(30),
  expect = { holds "lost-message", holds "fifo-violation" },
  cases = {
    case "a fast queue" {
      why = "The queue takes what comes.",
      expect = { reaches "went_through" },
    },
    case "a slow queue" {
      why = "A millisecond for each message.",
      set = { queue_service = ms(1) },
      expect = { reaches "connection_flow", reaches "was_stopped" },
    },
    case "a quorum queue" {
      why = "Each message waits for two disks of three.",
      set = { queue_type = "quorum", sync_latency = ms(20) },
      expect = { reaches "connection_flow", reaches "was_stopped" },
    },
  },
}
