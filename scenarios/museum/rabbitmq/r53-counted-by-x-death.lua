-- A handler that counts its attempts by a header that the broker writes.
--
-- W cannot do an order. It publishes a copy of it, headers and all, to a queue where it rests for a second and from which it
-- is dead-lettered back, and gives it up when x-death says that it has rested twice. Up to 3.13 the broker reads what
-- a publisher brings along as x-death and counts on. From 4.0 on a publisher's x-death is a header like any other: the copy
-- is a new message, which has rested once each time. W tries for ever.
--
-- A header of the application's own would do, or to reject the order, so that the broker moves it and it stays the same.
--
-- Source: RabbitMQ 4.0.1 release notes (x-death of clients is no longer interpreted).
local function worker(c)
  c:subscribe("orders")
  while true do
    for _, m in ipairs(c:poll(seconds(1), 1)) do
      c:effect("attempt", m)
      c:failed(m)
      if c:call("x_death", m.body .. " retry.w").position >= 2 then
        c:mark("given_up", m.body)
        c:ack(m)
      elseif c:call("republish", m.body .. " retry").ok then
        c:ack(m)
      else
        c:release(m)
      end
    end
  end
end

return scenario {
  title = "Three attempts, or any number",
  chapter = "docs/rabbitmq/03-dead-letters.md",
  cluster = rabbitmq {},
  topics = { orders = {}, retry = { message_ttl = seconds(1), dead_letter = "orders" } },
  marks = { "given_up" },
  clients = {
    producer "P1" { topic = "orders", records = 10, every = ms(10), start_at = seconds(1) },
    client "W" { program = worker, group = "w", explicit_acks = true },
  },
  run_for = seconds(20),
  drain = false,
  cases = {
    case "4.3" {
      why = "Each copy has rested once.",
      set = { profile = "4.3" },
      expect = { violates "amplification" },
    },
    case "3.13" {
      why = "The broker counts on.",
      set = { profile = "3.13" },
      expect = { reaches "given_up", holds "amplification" },
    },
  },
}
