//! Parameters of kinds that are about a unit or a direction, whose first fields are the same.

/// Declares the parameters of a kind that is about a unit or a direction: where that is, which one, and what else the kind
/// takes, in this order, which is that of the JSON.
macro_rules! about {
    ($(#[$about:meta])* pub struct $Name:ident { $($(#[$each:meta])* pub $field:ident: $Type:ty,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $Name {
            /// Where the unit or the direction is; the layer of embeddings if only a direction is given.
            pub layer: $crate::model::Place,
            /// Channel, from 0, if it is about a unit.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub unit: Option<u32>,
            /// A direction in the space of the layer's units, if it is about one.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub direction: Option<Vec<$crate::kind::term::Term>>,
            $($(#[$each])* pub $field: $Type,)+
        }
    };
}

pub(super) use about;
