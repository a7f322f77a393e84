//! Members of results that the store holds as tuples: each has its names in one place.

/// Declares a struct that JSON of the store holds as an array of its members, in order, and that values in prose show under
/// their names.
macro_rules! tuple {
    ($(#[$about:meta])* pub struct $Name:ident { $($(#[$each:meta])* pub $member:ident: $Type:ty,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(from = "($($Type,)+)", into = "($($Type,)+)")]
        pub struct $Name {
            $($(#[$each])* pub $member: $Type,)+
        }

        impl From<($($Type,)+)> for $Name {
            fn from(($($member,)+): ($($Type,)+)) -> Self {
                Self { $($member),+ }
            }
        }

        impl From<$Name> for ($($Type,)+) {
            fn from(members: $Name) -> Self {
                ($(members.$member,)+)
            }
        }

        impl $Name {
            /// The members under their names.
            pub(super) fn named(&self) -> serde_json::Value {
                serde_json::json!({ $(stringify!($member): self.$member),+ })
            }
        }
    };
}

pub(super) use tuple;
