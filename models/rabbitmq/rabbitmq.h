// models/rabbitmq/rabbitmq.h: RabbitMQ as a model of the laboratory: all that outsiders include.
//
//     models.add(rabbitmq::make_model());
#pragma once

#include <memory>

#include "sim/lab/model.h"

namespace mqlab::rabbitmq {

std::unique_ptr<Model> make_model();

}  // namespace mqlab::rabbitmq
