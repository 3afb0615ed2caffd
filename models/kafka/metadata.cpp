#include "models/kafka/metadata.h"

#include <fmt/format.h>

namespace mqlab::kafka {
namespace {

template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
overloaded(Ts...) -> overloaded<Ts...>;

}  // namespace

void Image::apply(const MetadataRecord& record, Offset offset) {
  end = offset + 1;
  std::visit(overloaded{
                 [&](const RegisterBroker& r) { broker(r.broker) = {offset, r.incarnation, true, true, false}; },
                 [&](const FenceBroker& r) { broker(r.broker).fenced = true; },
                 [&](const UnfenceBroker& r) { broker(r.broker).fenced = false; },
                 [&](const ControlledShutdown& r) { broker(r.broker).shutting_down = true; },
                 [&](const PartitionRecord& r) { partitions[r.state.partition] = r.state; },
                 [&](const ProducerIdsRecord& r) { next_producer_id = r.next; },
             },
             record.value);
}

std::string describe(const std::vector<BrokerId>& brokers) {
  std::string out = "{";
  for (BrokerId b : brokers) out += fmt::format("{}{}", out.size() > 1 ? "," : "", b);
  return out + "}";
}

std::string describe(const MetadataRecord& record, const Cluster* cluster) {
  const auto place = [&](PartitionId p) { return cluster && p < cluster->partitions.size() ? cluster->partitions[p].place : fmt::format("#{}", p); };
  return std::visit(
      overloaded{
          [](const RegisterBroker& r) { return fmt::format("RegisterBroker B{}", r.broker); },
          [](const FenceBroker& r) { return fmt::format("FenceBroker B{} epoch={}", r.broker, r.epoch); },
          [](const UnfenceBroker& r) { return fmt::format("UnfenceBroker B{} epoch={}", r.broker, r.epoch); },
          [](const ControlledShutdown& r) { return fmt::format("ControlledShutdown B{}", r.broker); },
          [&](const PartitionRecord& r) {
            const PartitionState& s = r.state;
            std::string out = fmt::format("Partition {} leader={} epoch={} isr={}", place(s.partition), s.leader == no_broker ? "none" : fmt::format("B{}", s.leader),
                                          s.leader_epoch, describe(s.isr));
            if (!s.elr.empty()) out += " elr=" + describe(s.elr);
            if (s.unclean) out += " unclean";
            return out;
          },
          [](const ProducerIdsRecord& r) { return fmt::format("ProducerIds next={}", r.next); },
      },
      record.value);
}

}  // namespace mqlab::kafka
