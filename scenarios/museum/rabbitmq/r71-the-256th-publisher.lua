-- A stream remembers 255 publishers.
--
-- P0 publishes ten messages, and the confirm of the seventh is lost with the connection. P0 is not in a hurry to send it
-- again. Meanwhile 255 others publish, and a segment of the stream is full: at the beginning of the next one the stream
-- writes down the last ids of the 255 names that were active last. P0 is not among them. Its seventh message comes again,
-- and is as good as new.
--
-- With fewer names it is known for what it is.
--
-- Source: osiris_tracking (255 sequences are kept); RabbitMQ, Streams (message deduplication).
local clients = {
  producer "P0" { topic = "orders", records = 10, every = ms(100), start_at = seconds(1), producer_name = "P0", confirm_timeout = seconds(30), resend = true },
  consumer "C" { topics = { "orders" } },
}
for i = 1, 255 do
  local name = "Q" .. i
  clients[#clients + 1] = producer(name) { topic = "orders", records = 1, start_at = seconds(5) + ms(10) * i, producer_name = name }
end

return scenario {
  title = "Stream: a publisher that was forgotten",
  cluster = rabbitmq {},
  topics = { orders = { queue_type = "stream", segment_size = 26500 } },
  clients = clients,
  faults = { at(0, drop "basic.ack" { from = "B1", to = "P0", nth = 7 }) },
  run_for = seconds(60),
  expect = { holds "lost-message" },
  cases = {
    case "256 names" {
      why = "One too many.",
      expect = { violates "duplicate" },
    },
    case "a segment that is not full" {
      why = "Nothing was written down yet, and nothing forgotten.",
      set = { ["orders.segment_size"] = 500000000 },
      expect = { reaches "publish_left_out", holds "duplicate" },
    },
  },
}
