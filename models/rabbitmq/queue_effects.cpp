// Effects of queues as text, and the prefetch that a channel's consumers share.
#include "models/rabbitmq/queue_effects.h"

#include <fmt/format.h>

#include <algorithm>

namespace mqlab::rabbitmq {
namespace {

std::string who(const ConsumerKey& k) { return fmt::format("{}/{}", k.channel & 0xff'ffff'ffff, k.tag.empty() ? "get" : k.tag); }
// The lab's number of a message, without its producer: enough within one story.
std::uint64_t what(const ContentRef& c) { return c ? c->message & 0xff'ffff'ffff : 0; }

struct Teller {
  std::string operator()(const Deliver& d) const {
    std::string s = fmt::format("deliver {} #{} m{}", who(d.consumer), d.id, what(d.content));
    if (d.redelivered) s += " redelivered";
    if (d.no_ack) s += " no_ack";
    if (d.left >= 0) s += fmt::format(" left {}", d.left);
    if (d.delivery_count) s += fmt::format(" count {}", *d.delivery_count);
    if (d.acquired_count) s += fmt::format(" acquired {}", *d.acquired_count);
    if (d.offset) s += fmt::format(" offset {}", *d.offset);
    return s;
  }
  std::string operator()(const GetEmpty& g) const { return fmt::format("get-empty {}", g.channel & 0xff'ffff'ffff); }
  std::string operator()(const Confirm& c) const { return fmt::format("confirm {}#{}", c.publish.channel & 0xff'ffff'ffff, c.publish.number); }
  std::string operator()(const Reject& r) const { return fmt::format("reject {}#{}", r.publish.channel & 0xff'ffff'ffff, r.publish.number); }
  std::string operator()(const DeadLetter& d) const { return fmt::format("dead-letter m{} {}", what(d.content), name(d.reason)); }
  std::string operator()(const Dropped& d) const { return fmt::format("drop m{} {}", what(d.content), name(d.reason)); }
  std::string operator()(const CancelConsumer& c) const { return fmt::format("cancel {}", who(c.consumer)); }
  std::string operator()(const ActiveConsumer& a) const { return fmt::format("{} {}", a.active ? "activate" : "deactivate", who(a.consumer)); }
  std::string operator()(const ConsumerUpdate& u) const { return fmt::format("{} {}", u.active ? "make active" : "step down", who(u.consumer)); }
  std::string operator()(const DeleteQueue& d) const { return fmt::format("delete queue: {}", d.why); }
  std::string operator()(const PublisherStatus& p) const {
    return fmt::format("tell {} to {}", p.channel & 0xff'ffff'ffff, p.reject ? "reject" : "go on");
  }
  std::string operator()(const DlxDeliver& d) const { return fmt::format("dlx #{} m{} {}", d.id, what(d.content), name(d.reason)); }
  std::string operator()(const TimedOut& t) const { return fmt::format("timed out {} ({} messages)", who(t.consumer), t.ids.size()); }
  std::string operator()(const WriteStore& w) const {
    return w.record.kind == StoreRecord::Kind::ack ? fmt::format("store ack {}", w.record.seq)
                                                   : fmt::format("store publish {} m{}", w.record.seq, what(w.record.content));
  }
  std::string operator()(const Replicate& r) const {
    switch (r.record.kind) {
      case MirrorRecord::Kind::publish: return fmt::format("mirror publish {} m{}", r.record.seq, what(r.record.content));
      case MirrorRecord::Kind::deliver: return fmt::format("mirror deliver {}", r.record.seq);
      case MirrorRecord::Kind::remove: return fmt::format("mirror remove {}", r.record.seq);
    }
    return "";
  }
};

}  // namespace

std::string describe(const QueueEffect& e) { return std::visit(Teller{}, e); }

std::string describe(const QueueEffects& effects) {
  std::string out;
  for (const QueueEffect& e : effects) out += describe(e) + "\n";
  return out;
}

bool Limiter::take(ChannelId c, bool counts) {
  const auto it = channels.find(c);
  if (it == channels.end()) return true;
  Channel& ch = it->second;
  if (ch.prefetch != 0 && ch.unacked >= ch.prefetch) return false;
  ch.unacked += counts;
  return true;
}

void Limiter::give_back(ChannelId c, std::uint32_t n) {
  const auto it = channels.find(c);
  if (it != channels.end()) it->second.unacked -= std::min(n, it->second.unacked);
}

}  // namespace mqlab::rabbitmq
