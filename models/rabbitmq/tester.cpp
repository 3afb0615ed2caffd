#include "models/rabbitmq/tester.h"

namespace mqlab::rabbitmq {

void Tester::open_channel(Context& c, const std::string& name, std::size_t connection, bool confirms) {
  Channel ch;
  ch.name = name;
  ch.number = connections[connection].next_channel++;
  ch.confirms = confirms;
  channel_names[name] = channels.size();
  channels.push_back(std::move(ch));
  of_channel.push_back(connection);
  Wire& wire = connections[connection].wire;
  wire.send(c, channels.back().number, Kind::channel_open);
  if (confirms) wire.send(c, channels.back().number, Kind::confirm_select);
}

void Tester::forget_channel(std::size_t channel) {
  channels[channel].closed = true;
  const auto it = channel_names.find(channels[channel].name);
  if (it != channel_names.end() && it->second == channel) channel_names.erase(it);
}

void Tester::connection_gone(std::size_t connection) {
  connections[connection].closed = true;
  for (auto it = connection_names.begin(); it != connection_names.end();)
    it = it->second == connection ? connection_names.erase(it) : std::next(it);
  for (std::size_t i = 0; i < channels.size(); ++i)
    if (of_channel[i] == connection) forget_channel(i);
}

void Tester::on_message(Context& c, const Message& m) {
  for (std::size_t i = 0; i < connections.size(); ++i) {
    Connection& conn = connections[i];
    if (conn.closed || conn.wire.id() != m.connection) continue;
    const Wire::News news = conn.wire.on_message(c, m);
    if (news == Wire::News::closed) {
      if (conn.wire.close_code() != 0) conn.error = Error{conn.wire.close_code(), conn.wire.close_text()};
      connection_gone(i);
    } else if (news == Wire::News::method) {
      for (std::size_t ch = 0; ch < channels.size(); ++ch)
        if (of_channel[ch] == i && channels[ch].number == m.word) on_method(c, ch, m);
    }
    return;
  }
}

void Tester::on_closed(Context& c, ConnId connection, NodeId, CloseReason) {
  for (std::size_t i = 0; i < connections.size(); ++i)
    if (!connections[i].closed && connections[i].wire.id() == connection) {
      connections[i].wire.drop(c);
      connection_gone(i);
    }
}

void Tester::on_method(Context& c, std::size_t channel, const Message& m) {
  Channel& ch = channels[channel];
  switch (static_cast<Kind>(m.kind)) {
    case Kind::basic_deliver: {
      const auto& d = method_as<BasicDeliver>(m.payload);
      inbox[d.tag].push_back({channel, d});
      return;
    }
    case Kind::basic_cancel: inbox[method_as<ConsumerTag>(m.payload).tag].push_back({channel, std::nullopt}); return;
    case Kind::basic_return: ch.returns.push_back(method_as<BasicReturn>(m.payload)); return;
    case Kind::basic_ack:
    case Kind::basic_nack: {
      const bool ack = static_cast<Kind>(m.kind) == Kind::basic_ack;
      const std::uint64_t number = ack ? method_as<BasicAck>(m.payload).delivery_tag : method_as<BasicNack>(m.payload).delivery_tag;
      const bool multiple = ack ? method_as<BasicAck>(m.payload).multiple : method_as<BasicNack>(m.payload).multiple;
      for (std::uint64_t n = multiple ? 1 : number; n <= number; ++n)
        if (ch.decided.emplace(n, ack).second) ch.order.push_back(n);
      return;
    }
    case Kind::channel_close: {
      const auto& close = method_as<Close>(m.payload);
      ch.error = Error{close.code, close.text};
      connections[of_channel[channel]].wire.send(c, ch.number, Kind::channel_close_ok);
      forget_channel(channel);
      return;
    }
    default: ch.replies.push_back(m);
  }
}

}  // namespace mqlab::rabbitmq
