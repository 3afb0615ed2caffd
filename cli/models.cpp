// Where the models are registered: one line each.
#include "cli/face.h"
#include "models/kafka/kafka.h"
#include "models/rabbitmq/rabbitmq.h"
#include "sim/script/lua_model.h"

namespace mqlab::cli {

const Models& all_models() {
  static const Models models = [] {
    Models m;
    m.add(kafka::make_model());
    m.add(rabbitmq::make_model());
    m.add(script::make_lua_model());
    return m;
  }();
  return models;
}

}  // namespace mqlab::cli
