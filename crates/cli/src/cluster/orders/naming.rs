//! How orders are named on the command line and in answers.

use ballast_state::instructions::OrderRef;

use crate::cluster::failure::Usage;

/// Names an order: its id in the book, or `client:N`.
pub fn order_ref(text: &str) -> Result<OrderRef, String> {
    let parsed = match text.strip_prefix("client:") {
        Some(id) => id.parse().map(OrderRef::ClientId),
        None => text.parse().map(OrderRef::Id),
    };
    match parsed {
        Ok(OrderRef::Id(0) | OrderRef::ClientId(0)) | Err(_) => Err(
            "expected an order id such as 17, or a number of your own such as client:5".to_owned(),
        ),
        Ok(order) => Ok(order),
    }
}

/// An order as the user named it.
pub fn ref_words(order: OrderRef) -> String {
    match order {
        OrderRef::Id(id) => format!("order {id}"),
        OrderRef::ClientId(id) => format!("order client:{id}"),
    }
}

/// A trader account that has no orders where some are to be cancelled.
pub fn no_orders(trader: &impl core::fmt::Display, market: &str) -> Usage {
    Usage(format!(
        "trader account {trader} has no orders in {market}; `ballast order list` lists those it has"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_named_by_either_number() {
        assert_eq!(order_ref("17"), Ok(OrderRef::Id(17)));
        assert_eq!(order_ref("client:5"), Ok(OrderRef::ClientId(5)));
        for bad in ["", "0", "client:", "client:0", "-1", "x"] {
            assert!(order_ref(bad).is_err(), "{bad}");
        }
    }
}
