// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package revertingnote

import (
	"bytes"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Reference imports to suppress errors if they are not otherwise used.
var (
	_ = bytes.Equal
	_ = errors.New
	_ = big.NewInt
	_ = common.Big1
	_ = types.BloomLookup
	_ = abi.ConvertType
)

// PinnedNoteNote is an auto generated low-level Go binding around an user-defined struct.
type PinnedNoteNote struct {
	Author common.Address
	State  uint8
	Reason uint8
	Blocks uint64
	Size   uint64
	Cid    []byte
}

// Terms is an auto generated low-level Go binding around an user-defined struct.
type Terms struct {
	Seq          uint64
	Consumer     common.Address
	Action       uint16
	CallbackGas  uint32
	Deadline     *big.Int
	AttemptUntil *big.Int
	RefundTo     common.Address
	Fee          *big.Int
	AttemptFee   *big.Int
	PayloadHash  [32]byte
	ContextHash  [32]byte
}

// RevertingNoteMetaData contains all meta data concerning the RevertingNote contract.
var RevertingNoteMetaData = bind.MetaData{
	ABI: "[{\"type\":\"constructor\",\"inputs\":[{\"name\":\"provider_\",\"type\":\"address\",\"internalType\":\"contractIExecutionProvider\"},{\"name\":\"callbackGas_\",\"type\":\"uint32\",\"internalType\":\"uint32\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"MAX_BYTES\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint64\",\"internalType\":\"uint64\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"TERM\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"accepting\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"bool\",\"internalType\":\"bool\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"answerWithin\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"callbackGas\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint32\",\"internalType\":\"uint32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"count\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"noteOf\",\"inputs\":[{\"name\":\"note\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"outputs\":[{\"name\":\"\",\"type\":\"tuple\",\"internalType\":\"structPinnedNote.Note\",\"components\":[{\"name\":\"author\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"state\",\"type\":\"uint8\",\"internalType\":\"enumPinnedNote.State\"},{\"name\":\"reason\",\"type\":\"uint8\",\"internalType\":\"uint8\"},{\"name\":\"blocks\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"size\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"cid\",\"type\":\"bytes\",\"internalType\":\"bytes\"}]}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"onOracleResult\",\"inputs\":[{\"name\":\"requestId\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"context\",\"type\":\"bytes\",\"internalType\":\"bytes\"},{\"name\":\"outcome\",\"type\":\"uint8\",\"internalType\":\"uint8\"},{\"name\":\"reason\",\"type\":\"uint8\",\"internalType\":\"uint8\"},{\"name\":\"result\",\"type\":\"bytes\",\"internalType\":\"bytes\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"owner\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"address\",\"internalType\":\"address\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"provider\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"address\",\"internalType\":\"contractIExecutionProvider\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"publish\",\"inputs\":[{\"name\":\"cid\",\"type\":\"bytes\",\"internalType\":\"bytes\"}],\"outputs\":[{\"name\":\"note\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"requestId\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"payable\"},{\"type\":\"function\",\"name\":\"quote\",\"inputs\":[],\"outputs\":[{\"name\":\"fee\",\"type\":\"uint96\",\"internalType\":\"uint96\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"setAccepting\",\"inputs\":[{\"name\":\"accepting_\",\"type\":\"bool\",\"internalType\":\"bool\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"withdrawRequest\",\"inputs\":[{\"name\":\"terms\",\"type\":\"tuple\",\"internalType\":\"structTerms\",\"components\":[{\"name\":\"seq\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"consumer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"action\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"callbackGas\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"deadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"attemptUntil\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"refundTo\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"fee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"attemptFee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"payloadHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"contextHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"event\",\"name\":\"AcceptingChanged\",\"inputs\":[{\"name\":\"accepting\",\"type\":\"bool\",\"indexed\":false,\"internalType\":\"bool\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"NoteAnswered\",\"inputs\":[{\"name\":\"note\",\"type\":\"uint256\",\"indexed\":true,\"internalType\":\"uint256\"},{\"name\":\"state\",\"type\":\"uint8\",\"indexed\":false,\"internalType\":\"enumPinnedNote.State\"},{\"name\":\"reason\",\"type\":\"uint8\",\"indexed\":false,\"internalType\":\"uint8\"},{\"name\":\"blocks\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"size\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"NotePublished\",\"inputs\":[{\"name\":\"note\",\"type\":\"uint256\",\"indexed\":true,\"internalType\":\"uint256\"},{\"name\":\"author\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"requestId\",\"type\":\"bytes32\",\"indexed\":true,\"internalType\":\"bytes32\"},{\"name\":\"cid\",\"type\":\"bytes\",\"indexed\":false,\"internalType\":\"bytes\"}],\"anonymous\":false},{\"type\":\"error\",\"name\":\"Oracle_NotProvider\",\"inputs\":[{\"name\":\"caller\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"Oracle_ZeroProvider\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"PinnedNote_NotAuthor\",\"inputs\":[{\"name\":\"caller\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"RevertingNote_NotAccepting\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"RevertingNote_NotOwner\",\"inputs\":[{\"name\":\"caller\",\"type\":\"address\",\"internalType\":\"address\"}]}]",
	ID:  "RevertingNote",
	Bin: "0x610100604052348015610010575f5ffd5b506040516117aa3803806117aa83398101604081905261002f916100f6565b8181816001600160a01b03811661005957604051630f92617d60e21b815260040160405180910390fd5b6001600160a01b0390811660805263ffffffff821660a05260408051630315527360e61b815290519184169163c5549cc0916004808201926020929091908290030181865afa1580156100ae573d5f5f3e3d5ffd5b505050506040513d601f19601f820116820180604052508101906100d29190610141565b6100de90610e1061016c565b64ffffffffff1660c05250503360e0525061019b9050565b5f5f60408385031215610107575f5ffd5b82516001600160a01b038116811461011d575f5ffd5b602084015190925063ffffffff81168114610136575f5ffd5b809150509250929050565b5f60208284031215610151575f5ffd5b815164ffffffffff81168114610165575f5ffd5b9392505050565b64ffffffffff818116838216019081111561019557634e487b7160e01b5f52601160045260245ffd5b92915050565b60805160a05160c05160e0516115a46102065f395f8181610240015261042101525f818161017b01526106ed01525f81816102ce015281816106c001526107c401525f818161010f015281816103be0152818161097801528181610a9d0152610c4001526115a45ff3fe6080604052600436106100d9575f3560e01c80637fd283461161007c578063a068fd8011610057578063a068fd801461028e578063a10132ad146102bd578063bc91f34d14610305578063e6205b9114610331575f5ffd5b80637fd28346146102075780638da5cb5b1461022f578063999b93af14610262575f5ffd5b806352d13733116100b757806352d137331461016a5780635ea25e28146101b357806374286757146101c95780637fcd4ecf146101e8575f5ffd5b806306661abd146100dd578063085d4883146100fe578063272084b814610149575b5f5ffd5b3480156100e8575f5ffd5b505f546040519081526020015b60405180910390f35b348015610109575f5ffd5b506101317f000000000000000000000000000000000000000000000000000000000000000081565b6040516001600160a01b0390911681526020016100f5565b348015610154575f5ffd5b50610168610163366004610ce2565b61035a565b005b348015610175575f5ffd5b5061019d7f000000000000000000000000000000000000000000000000000000000000000081565b60405164ffffffffff90911681526020016100f5565b3480156101be575f5ffd5b5061019d62ed4e0081565b3480156101d4575f5ffd5b506101686101e3366004610d55565b6103b3565b3480156101f3575f5ffd5b50610168610202366004610ded565b610416565b61021a610215366004610e13565b6104a8565b604080519283526020830191909152016100f5565b34801561023a575f5ffd5b506101317f000000000000000000000000000000000000000000000000000000000000000081565b34801561026d575f5ffd5b506102766107aa565b6040516001600160601b0390911681526020016100f5565b348015610299575f5ffd5b506102a5630200000081565b6040516001600160401b0390911681526020016100f5565b3480156102c8575f5ffd5b506102f07f000000000000000000000000000000000000000000000000000000000000000081565b60405163ffffffff90911681526020016100f5565b348015610310575f5ffd5b5061032461031f366004610e51565b6107ee565b6040516100f59190610eca565b34801561033c575f5ffd5b5060015461034a9060ff1681565b60405190151581526020016100f5565b3361036b60e0830160c08401610f5a565b6001600160a01b0316146103995760405163199f53a160e01b81523360048201526024015b60405180910390fd5b6103b06103ab3683900383018361101d565b610961565b50565b336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016146103fe57604051633710d51f60e21b8152336004820152602401610390565b61040d878787878787876109dd565b50505050505050565b336001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016146104615760405163e5039f0b60e01b8152336004820152602401610390565b6001805460ff19168215159081179091556040519081527f21931b5b190fb4e7585c84ba7aed300da81fe4eb9e34ec57159e5d88e90a70039060200160405180910390a150565b5f80546040805160c081018252338152602080820185905281830185905260608201859052608082018590528251601f8701829004820281018201909352858352929392839260a083019188908890819084018382808284375f9201829052509390945250508354600181018555938152602090819020835160039095020180546001600160a01b031981166001600160a01b0390961695861782559184015193949093925083916001600160a81b03191617600160a01b83600281111561057257610572610e68565b021790555060408201518154606084015168ffffffffffffffffff60a81b19909116600160a81b60ff9093169290920267ffffffffffffffff60b01b191691909117600160b01b6001600160401b0392831602178255608083015160018301805467ffffffffffffffff19169190921617905560a082015160028201906105f99082611167565b50505061064b6040518060c00160405280606081526020015f6001600160a01b031681526020015f6001600160401b031681526020015f64ffffffffff16815260200160608152602001606081525090565b84848080601f0160208091040260200160405190810160405280939291908181526020018383808284375f92019190915250505090825250336020820152630200000060408201526106a062ed4e0042611221565b64ffffffffff1660608083019190915260408051918201905263ffffffff7f00000000000000000000000000000000000000000000000000000000000000001681525f90602081016107127f000000000000000000000000000000000000000000000000000000000000000042611221565b64ffffffffff168152602001336001600160a01b0316815250905061075a828560405160200161074491815260200190565b6040516020818303038152906040528334610a0f565b925082336001600160a01b0316857f068f508ea99355697a9649f79ab78d9bd8a9657aa9d57db3fa6f66ef4050c9ca8989604051610799929190611250565b60405180910390a450509250929050565b5f6107e8600163020000006107c262ed4e0042611221565b7f0000000000000000000000000000000000000000000000000000000000000000610a50565b50919050565b6040805160c0810182525f8082526020820181905291810182905260608082018390526080820183905260a08201528154909190839081106108325761083261127e565b5f9182526020918290206040805160c0810190915260039092020180546001600160a01b0381168352919290919083019060ff600160a01b90910416600281111561087f5761087f610e68565b600281111561089057610890610e68565b8152815460ff600160a81b82041660208301526001600160401b03600160b01b9091048116604083015260018301541660608201526002820180546080909201916108da906110ec565b80601f0160208091040260200160405190810160405280929190818152602001828054610906906110ec565b80156109515780601f1061092857610100808354040283529160200191610951565b820191905f5260205f20905b81548152906001019060200180831161093457829003601f168201915b5050505050815250509050919050565b6040516367ae3fbf60e11b81526001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000169063cf5c7f7e906109ad908490600401611292565b5f604051808303815f87803b1580156109c4575f5ffd5b505af11580156109d6573d5f5f3e3d5ffd5b5050505050565b60015460ff16610a0057604051632499727d60e11b815260040160405180910390fd5b61040d87878787878787610b12565b5f610a4760018660400151876060015188604051602001610a309190611390565b604051602081830303815290604052888888610c3d565b95945050505050565b60405163025dff4360e51b815261ffff851660048201526001600160401b038416602482015264ffffffffff8316604482015263ffffffff821660648201525f9081906001600160a01b037f00000000000000000000000000000000000000000000000000000000000000001690634bbfe860906084016040805180830381865afa158015610ae1573d5f5f3e3d5ffd5b505050506040513d601f19601f82011682018060405250810190610b059190611460565b9150915094509492505050565b5f610b1f86880188610e51565b90505f5f8281548110610b3457610b3461127e565b905f5260205f2090600302019050600160ff168660ff1603610bb057805460ff60a01b1916600160a01b178155610b6d83850185611498565b6001830180546001600160401b0392831667ffffffffffffffff1990911617905582549116600160b01b0267ffffffffffffffff60b01b19909116178155610bd0565b805460ff8616600160a81b0261ffff60a01b1990911617600160a11b1781555b8054600182015460405184927f437febf790287485d3f4d669b289dc38fae98fccc5a17ee1b80bd8a1c171350592610c2a9260ff600160a01b840416928b926001600160401b03600160b01b9092048216929116906114c9565b60405180910390a2505050505050505050565b5f7f00000000000000000000000000000000000000000000000000000000000000006001600160a01b031663711a5afb838a8a8a8a8a8a6040518863ffffffff1660e01b8152600401610c95969594939291906114ff565b60206040518083038185885af1158015610cb1573d5f5f3e3d5ffd5b50505050506040513d601f19601f82011682018060405250810190610cd6919061158d565b98975050505050505050565b5f610160828403128015610cf4575f5ffd5b509092915050565b5f5f83601f840112610d0c575f5ffd5b5081356001600160401b03811115610d22575f5ffd5b602083019150836020828501011115610d39575f5ffd5b9250929050565b803560ff81168114610d50575f5ffd5b919050565b5f5f5f5f5f5f5f60a0888a031215610d6b575f5ffd5b8735965060208801356001600160401b03811115610d87575f5ffd5b610d938a828b01610cfc565b9097509550610da6905060408901610d40565b9350610db460608901610d40565b925060808801356001600160401b03811115610dce575f5ffd5b610dda8a828b01610cfc565b989b979a50959850939692959293505050565b5f60208284031215610dfd575f5ffd5b81358015158114610e0c575f5ffd5b9392505050565b5f5f60208385031215610e24575f5ffd5b82356001600160401b03811115610e39575f5ffd5b610e4585828601610cfc565b90969095509350505050565b5f60208284031215610e61575f5ffd5b5035919050565b634e487b7160e01b5f52602160045260245ffd5b60038110610e9857634e487b7160e01b5f52602160045260245ffd5b9052565b5f81518084528060208401602086015e5f602082860101526020601f19601f83011685010191505092915050565b602080825282516001600160a01b0316828201528201515f90610ef06040840182610e7c565b5060ff60408401511660608301526001600160401b0360608401511660808301526001600160401b0360808401511660a083015260a083015160c080840152610f3c60e0840182610e9c565b949350505050565b80356001600160a01b0381168114610d50575f5ffd5b5f60208284031215610f6a575f5ffd5b610e0c82610f44565b634e487b7160e01b5f52604160045260245ffd5b60405161016081016001600160401b0381118282101715610faa57610faa610f73565b60405290565b80356001600160401b0381168114610d50575f5ffd5b803561ffff81168114610d50575f5ffd5b803563ffffffff81168114610d50575f5ffd5b803564ffffffffff81168114610d50575f5ffd5b6001600160601b03811681146103b0575f5ffd5b8035610d5081610ffe565b5f61016082840312801561102f575f5ffd5b50611038610f87565b61104183610fb0565b815261104f60208401610f44565b602082015261106060408401610fc6565b604082015261107160608401610fd7565b606082015261108260808401610fea565b608082015261109360a08401610fea565b60a08201526110a460c08401610f44565b60c08201526110b560e08401611012565b60e08201526110c76101008401611012565b6101008201526101208381013590820152610140928301359281019290925250919050565b600181811c9082168061110057607f821691505b6020821081036107e857634e487b7160e01b5f52602260045260245ffd5b601f82111561116257805f5260205f20601f840160051c810160208510156111435750805b601f840160051c820191505b818110156109d6575f815560010161114f565b505050565b81516001600160401b0381111561118057611180610f73565b6111948161118e84546110ec565b8461111e565b6020601f8211600181146111c6575f83156111af5750848201515b5f19600385901b1c1916600184901b1784556109d6565b5f84815260208120601f198516915b828110156111f557878501518255602094850194600190920191016111d5565b508482101561121257868401515f19600387901b60f8161c191681555b50505050600190811b01905550565b64ffffffffff818116838216019081111561124a57634e487b7160e01b5f52601160045260245ffd5b92915050565b60208152816020820152818360408301375f818301604090810191909152601f909201601f19160101919050565b634e487b7160e01b5f52603260045260245ffd5b81516001600160401b03168152610160810160208301516112be60208401826001600160a01b03169052565b5060408301516112d4604084018261ffff169052565b5060608301516112ec606084018263ffffffff169052565b506080830151611305608084018264ffffffffff169052565b5060a083015161131e60a084018264ffffffffff169052565b5060c083015161133960c08401826001600160a01b03169052565b5060e083015161135460e08401826001600160601b03169052565b506101008301516113716101008401826001600160601b03169052565b5061012083015161012083015261014083015161014083015292915050565b602081525f825160c060208401526113ab60e0840182610e9c565b905060018060a01b0360208501511660408401526001600160401b03604085015116606084015264ffffffffff60608501511660808401526080840151601f198483030160a085015281815180845260208401915060208160051b8501016020840193505f5b8281101561144257601f1986830301845261142d828651610e9c565b60209586019594909401939150600101611411565b5060a0880151878203601f190160c08901529450610cd68186610e9c565b5f5f60408385031215611471575f5ffd5b825161147c81610ffe565b602084015190925061148d81610ffe565b809150509250929050565b5f5f604083850312156114a9575f5ffd5b6114b283610fb0565b91506114c060208401610fb0565b90509250929050565b608081016114d78287610e7c565b60ff9490941660208201526001600160401b0392831660408201529116606090910152919050565b61ffff871681526001600160401b038616602082015264ffffffffff8516604082015261010060608201525f611539610100830186610e9c565b828103608084015261154b8186610e9c565b845163ffffffff1660a0850152602085015164ffffffffff1660c08501526040909401516001600160a01b031660e09093019290925250909695505050505050565b5f6020828403121561159d575f5ffd5b505191905056",
}

// RevertingNote is an auto generated Go binding around an Ethereum contract.
type RevertingNote struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *RevertingNote) GetABI() abi.ABI {
	return c.abi
}

// NewRevertingNote creates a new instance of RevertingNote.
func NewRevertingNote() *RevertingNote {
	parsed, err := RevertingNoteMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &RevertingNote{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *RevertingNote) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackConstructor is the Go binding used to pack the parameters required for
// contract deployment.
//
// Solidity: constructor(address provider_, uint32 callbackGas_) returns()
func (revertingNote *RevertingNote) PackConstructor(provider_ common.Address, callbackGas_ uint32) []byte {
	enc, err := revertingNote.abi.Pack("", provider_, callbackGas_)
	if err != nil {
		panic(err)
	}
	return enc
}

// PackMAXBYTES is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa068fd80.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_BYTES() view returns(uint64)
func (revertingNote *RevertingNote) PackMAXBYTES() []byte {
	enc, err := revertingNote.abi.Pack("MAX_BYTES")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXBYTES is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa068fd80.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_BYTES() view returns(uint64)
func (revertingNote *RevertingNote) TryPackMAXBYTES() ([]byte, error) {
	return revertingNote.abi.Pack("MAX_BYTES")
}

// UnpackMAXBYTES is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xa068fd80.
//
// Solidity: function MAX_BYTES() view returns(uint64)
func (revertingNote *RevertingNote) UnpackMAXBYTES(data []byte) (uint64, error) {
	out, err := revertingNote.abi.Unpack("MAX_BYTES", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackTERM is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5ea25e28.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function TERM() view returns(uint40)
func (revertingNote *RevertingNote) PackTERM() []byte {
	enc, err := revertingNote.abi.Pack("TERM")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackTERM is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5ea25e28.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function TERM() view returns(uint40)
func (revertingNote *RevertingNote) TryPackTERM() ([]byte, error) {
	return revertingNote.abi.Pack("TERM")
}

// UnpackTERM is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x5ea25e28.
//
// Solidity: function TERM() view returns(uint40)
func (revertingNote *RevertingNote) UnpackTERM(data []byte) (*big.Int, error) {
	out, err := revertingNote.abi.Unpack("TERM", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackAccepting is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe6205b91.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function accepting() view returns(bool)
func (revertingNote *RevertingNote) PackAccepting() []byte {
	enc, err := revertingNote.abi.Pack("accepting")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAccepting is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe6205b91.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function accepting() view returns(bool)
func (revertingNote *RevertingNote) TryPackAccepting() ([]byte, error) {
	return revertingNote.abi.Pack("accepting")
}

// UnpackAccepting is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe6205b91.
//
// Solidity: function accepting() view returns(bool)
func (revertingNote *RevertingNote) UnpackAccepting(data []byte) (bool, error) {
	out, err := revertingNote.abi.Unpack("accepting", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackAnswerWithin is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x52d13733.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function answerWithin() view returns(uint40)
func (revertingNote *RevertingNote) PackAnswerWithin() []byte {
	enc, err := revertingNote.abi.Pack("answerWithin")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAnswerWithin is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x52d13733.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function answerWithin() view returns(uint40)
func (revertingNote *RevertingNote) TryPackAnswerWithin() ([]byte, error) {
	return revertingNote.abi.Pack("answerWithin")
}

// UnpackAnswerWithin is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x52d13733.
//
// Solidity: function answerWithin() view returns(uint40)
func (revertingNote *RevertingNote) UnpackAnswerWithin(data []byte) (*big.Int, error) {
	out, err := revertingNote.abi.Unpack("answerWithin", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackCallbackGas is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa10132ad.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function callbackGas() view returns(uint32)
func (revertingNote *RevertingNote) PackCallbackGas() []byte {
	enc, err := revertingNote.abi.Pack("callbackGas")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCallbackGas is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa10132ad.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function callbackGas() view returns(uint32)
func (revertingNote *RevertingNote) TryPackCallbackGas() ([]byte, error) {
	return revertingNote.abi.Pack("callbackGas")
}

// UnpackCallbackGas is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xa10132ad.
//
// Solidity: function callbackGas() view returns(uint32)
func (revertingNote *RevertingNote) UnpackCallbackGas(data []byte) (uint32, error) {
	out, err := revertingNote.abi.Unpack("callbackGas", data)
	if err != nil {
		return *new(uint32), err
	}
	out0 := *abi.ConvertType(out[0], new(uint32)).(*uint32)
	return out0, nil
}

// PackCount is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x06661abd.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function count() view returns(uint256)
func (revertingNote *RevertingNote) PackCount() []byte {
	enc, err := revertingNote.abi.Pack("count")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCount is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x06661abd.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function count() view returns(uint256)
func (revertingNote *RevertingNote) TryPackCount() ([]byte, error) {
	return revertingNote.abi.Pack("count")
}

// UnpackCount is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x06661abd.
//
// Solidity: function count() view returns(uint256)
func (revertingNote *RevertingNote) UnpackCount(data []byte) (*big.Int, error) {
	out, err := revertingNote.abi.Unpack("count", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackNoteOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbc91f34d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function noteOf(uint256 note) view returns((address,uint8,uint8,uint64,uint64,bytes))
func (revertingNote *RevertingNote) PackNoteOf(note *big.Int) []byte {
	enc, err := revertingNote.abi.Pack("noteOf", note)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackNoteOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbc91f34d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function noteOf(uint256 note) view returns((address,uint8,uint8,uint64,uint64,bytes))
func (revertingNote *RevertingNote) TryPackNoteOf(note *big.Int) ([]byte, error) {
	return revertingNote.abi.Pack("noteOf", note)
}

// UnpackNoteOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xbc91f34d.
//
// Solidity: function noteOf(uint256 note) view returns((address,uint8,uint8,uint64,uint64,bytes))
func (revertingNote *RevertingNote) UnpackNoteOf(data []byte) (PinnedNoteNote, error) {
	out, err := revertingNote.abi.Unpack("noteOf", data)
	if err != nil {
		return *new(PinnedNoteNote), err
	}
	out0 := *abi.ConvertType(out[0], new(PinnedNoteNote)).(*PinnedNoteNote)
	return out0, nil
}

// PackOnOracleResult is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x74286757.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function onOracleResult(bytes32 requestId, bytes context, uint8 outcome, uint8 reason, bytes result) returns()
func (revertingNote *RevertingNote) PackOnOracleResult(requestId [32]byte, context []byte, outcome uint8, reason uint8, result []byte) []byte {
	enc, err := revertingNote.abi.Pack("onOracleResult", requestId, context, outcome, reason, result)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackOnOracleResult is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x74286757.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function onOracleResult(bytes32 requestId, bytes context, uint8 outcome, uint8 reason, bytes result) returns()
func (revertingNote *RevertingNote) TryPackOnOracleResult(requestId [32]byte, context []byte, outcome uint8, reason uint8, result []byte) ([]byte, error) {
	return revertingNote.abi.Pack("onOracleResult", requestId, context, outcome, reason, result)
}

// PackOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8da5cb5b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function owner() view returns(address)
func (revertingNote *RevertingNote) PackOwner() []byte {
	enc, err := revertingNote.abi.Pack("owner")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8da5cb5b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function owner() view returns(address)
func (revertingNote *RevertingNote) TryPackOwner() ([]byte, error) {
	return revertingNote.abi.Pack("owner")
}

// UnpackOwner is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8da5cb5b.
//
// Solidity: function owner() view returns(address)
func (revertingNote *RevertingNote) UnpackOwner(data []byte) (common.Address, error) {
	out, err := revertingNote.abi.Unpack("owner", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackProvider is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x085d4883.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function provider() view returns(address)
func (revertingNote *RevertingNote) PackProvider() []byte {
	enc, err := revertingNote.abi.Pack("provider")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackProvider is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x085d4883.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function provider() view returns(address)
func (revertingNote *RevertingNote) TryPackProvider() ([]byte, error) {
	return revertingNote.abi.Pack("provider")
}

// UnpackProvider is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x085d4883.
//
// Solidity: function provider() view returns(address)
func (revertingNote *RevertingNote) UnpackProvider(data []byte) (common.Address, error) {
	out, err := revertingNote.abi.Unpack("provider", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackPublish is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7fd28346.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function publish(bytes cid) payable returns(uint256 note, bytes32 requestId)
func (revertingNote *RevertingNote) PackPublish(cid []byte) []byte {
	enc, err := revertingNote.abi.Pack("publish", cid)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPublish is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7fd28346.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function publish(bytes cid) payable returns(uint256 note, bytes32 requestId)
func (revertingNote *RevertingNote) TryPackPublish(cid []byte) ([]byte, error) {
	return revertingNote.abi.Pack("publish", cid)
}

// PublishOutput serves as a container for the return parameters of contract
// method Publish.
type PublishOutput struct {
	Note      *big.Int
	RequestId [32]byte
}

// UnpackPublish is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x7fd28346.
//
// Solidity: function publish(bytes cid) payable returns(uint256 note, bytes32 requestId)
func (revertingNote *RevertingNote) UnpackPublish(data []byte) (PublishOutput, error) {
	out, err := revertingNote.abi.Unpack("publish", data)
	outstruct := new(PublishOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Note = abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	outstruct.RequestId = *abi.ConvertType(out[1], new([32]byte)).(*[32]byte)
	return *outstruct, nil
}

// PackQuote is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x999b93af.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function quote() view returns(uint96 fee)
func (revertingNote *RevertingNote) PackQuote() []byte {
	enc, err := revertingNote.abi.Pack("quote")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackQuote is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x999b93af.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function quote() view returns(uint96 fee)
func (revertingNote *RevertingNote) TryPackQuote() ([]byte, error) {
	return revertingNote.abi.Pack("quote")
}

// UnpackQuote is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x999b93af.
//
// Solidity: function quote() view returns(uint96 fee)
func (revertingNote *RevertingNote) UnpackQuote(data []byte) (*big.Int, error) {
	out, err := revertingNote.abi.Unpack("quote", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackSetAccepting is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7fcd4ecf.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setAccepting(bool accepting_) returns()
func (revertingNote *RevertingNote) PackSetAccepting(accepting bool) []byte {
	enc, err := revertingNote.abi.Pack("setAccepting", accepting)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetAccepting is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7fcd4ecf.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setAccepting(bool accepting_) returns()
func (revertingNote *RevertingNote) TryPackSetAccepting(accepting bool) ([]byte, error) {
	return revertingNote.abi.Pack("setAccepting", accepting)
}

// PackWithdrawRequest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x272084b8.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function withdrawRequest((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32) terms) returns()
func (revertingNote *RevertingNote) PackWithdrawRequest(terms Terms) []byte {
	enc, err := revertingNote.abi.Pack("withdrawRequest", terms)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackWithdrawRequest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x272084b8.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function withdrawRequest((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32) terms) returns()
func (revertingNote *RevertingNote) TryPackWithdrawRequest(terms Terms) ([]byte, error) {
	return revertingNote.abi.Pack("withdrawRequest", terms)
}

// RevertingNoteAcceptingChanged represents a AcceptingChanged event raised by the RevertingNote contract.
type RevertingNoteAcceptingChanged struct {
	Accepting bool
	Raw       *types.Log // Blockchain specific contextual infos
}

const RevertingNoteAcceptingChangedEventName = "AcceptingChanged"

// ContractEventName returns the user-defined event name.
func (RevertingNoteAcceptingChanged) ContractEventName() string {
	return RevertingNoteAcceptingChangedEventName
}

// UnpackAcceptingChangedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event AcceptingChanged(bool accepting)
func (revertingNote *RevertingNote) UnpackAcceptingChangedEvent(log *types.Log) (*RevertingNoteAcceptingChanged, error) {
	event := "AcceptingChanged"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != revertingNote.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RevertingNoteAcceptingChanged)
	if len(log.Data) > 0 {
		if err := revertingNote.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range revertingNote.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RevertingNoteNoteAnswered represents a NoteAnswered event raised by the RevertingNote contract.
type RevertingNoteNoteAnswered struct {
	Note   *big.Int
	State  uint8
	Reason uint8
	Blocks uint64
	Size   uint64
	Raw    *types.Log // Blockchain specific contextual infos
}

const RevertingNoteNoteAnsweredEventName = "NoteAnswered"

// ContractEventName returns the user-defined event name.
func (RevertingNoteNoteAnswered) ContractEventName() string {
	return RevertingNoteNoteAnsweredEventName
}

// UnpackNoteAnsweredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event NoteAnswered(uint256 indexed note, uint8 state, uint8 reason, uint64 blocks, uint64 size)
func (revertingNote *RevertingNote) UnpackNoteAnsweredEvent(log *types.Log) (*RevertingNoteNoteAnswered, error) {
	event := "NoteAnswered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != revertingNote.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RevertingNoteNoteAnswered)
	if len(log.Data) > 0 {
		if err := revertingNote.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range revertingNote.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// RevertingNoteNotePublished represents a NotePublished event raised by the RevertingNote contract.
type RevertingNoteNotePublished struct {
	Note      *big.Int
	Author    common.Address
	RequestId [32]byte
	Cid       []byte
	Raw       *types.Log // Blockchain specific contextual infos
}

const RevertingNoteNotePublishedEventName = "NotePublished"

// ContractEventName returns the user-defined event name.
func (RevertingNoteNotePublished) ContractEventName() string {
	return RevertingNoteNotePublishedEventName
}

// UnpackNotePublishedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event NotePublished(uint256 indexed note, address indexed author, bytes32 indexed requestId, bytes cid)
func (revertingNote *RevertingNote) UnpackNotePublishedEvent(log *types.Log) (*RevertingNoteNotePublished, error) {
	event := "NotePublished"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != revertingNote.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(RevertingNoteNotePublished)
	if len(log.Data) > 0 {
		if err := revertingNote.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range revertingNote.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// UnpackError attempts to decode the provided error data using user-defined
// error definitions.
func (revertingNote *RevertingNote) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], revertingNote.abi.Errors["Oracle_NotProvider"].ID.Bytes()[:4]) {
		return revertingNote.UnpackOracleNotProviderError(raw[4:])
	}
	if bytes.Equal(raw[:4], revertingNote.abi.Errors["Oracle_ZeroProvider"].ID.Bytes()[:4]) {
		return revertingNote.UnpackOracleZeroProviderError(raw[4:])
	}
	if bytes.Equal(raw[:4], revertingNote.abi.Errors["PinnedNote_NotAuthor"].ID.Bytes()[:4]) {
		return revertingNote.UnpackPinnedNoteNotAuthorError(raw[4:])
	}
	if bytes.Equal(raw[:4], revertingNote.abi.Errors["RevertingNote_NotAccepting"].ID.Bytes()[:4]) {
		return revertingNote.UnpackRevertingNoteNotAcceptingError(raw[4:])
	}
	if bytes.Equal(raw[:4], revertingNote.abi.Errors["RevertingNote_NotOwner"].ID.Bytes()[:4]) {
		return revertingNote.UnpackRevertingNoteNotOwnerError(raw[4:])
	}
	return nil, errors.New("Unknown error")
}

// RevertingNoteOracleNotProvider represents a Oracle_NotProvider error raised by the RevertingNote contract.
type RevertingNoteOracleNotProvider struct {
	Caller common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error Oracle_NotProvider(address caller)
func RevertingNoteOracleNotProviderErrorID() common.Hash {
	return common.HexToHash("0xdc43547c037f9f4b2c8c7d0233b8d2c300355c7aee8dfeda280f986a42bf5a0e")
}

// UnpackOracleNotProviderError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error Oracle_NotProvider(address caller)
func (revertingNote *RevertingNote) UnpackOracleNotProviderError(raw []byte) (*RevertingNoteOracleNotProvider, error) {
	out := new(RevertingNoteOracleNotProvider)
	if err := revertingNote.abi.UnpackIntoInterface(out, "Oracle_NotProvider", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RevertingNoteOracleZeroProvider represents a Oracle_ZeroProvider error raised by the RevertingNote contract.
type RevertingNoteOracleZeroProvider struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error Oracle_ZeroProvider()
func RevertingNoteOracleZeroProviderErrorID() common.Hash {
	return common.HexToHash("0x3e4985f4b8da041356da817c2f0e8eaf137e012dab10ea548ef779e25cb4ce5a")
}

// UnpackOracleZeroProviderError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error Oracle_ZeroProvider()
func (revertingNote *RevertingNote) UnpackOracleZeroProviderError(raw []byte) (*RevertingNoteOracleZeroProvider, error) {
	out := new(RevertingNoteOracleZeroProvider)
	if err := revertingNote.abi.UnpackIntoInterface(out, "Oracle_ZeroProvider", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RevertingNotePinnedNoteNotAuthor represents a PinnedNote_NotAuthor error raised by the RevertingNote contract.
type RevertingNotePinnedNoteNotAuthor struct {
	Caller common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error PinnedNote_NotAuthor(address caller)
func RevertingNotePinnedNoteNotAuthorErrorID() common.Hash {
	return common.HexToHash("0x199f53a1d35a4167e2fe2181ff27f3ae7c52475ec596d9c8785f72a9a91da957")
}

// UnpackPinnedNoteNotAuthorError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error PinnedNote_NotAuthor(address caller)
func (revertingNote *RevertingNote) UnpackPinnedNoteNotAuthorError(raw []byte) (*RevertingNotePinnedNoteNotAuthor, error) {
	out := new(RevertingNotePinnedNoteNotAuthor)
	if err := revertingNote.abi.UnpackIntoInterface(out, "PinnedNote_NotAuthor", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RevertingNoteRevertingNoteNotAccepting represents a RevertingNote_NotAccepting error raised by the RevertingNote contract.
type RevertingNoteRevertingNoteNotAccepting struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error RevertingNote_NotAccepting()
func RevertingNoteRevertingNoteNotAcceptingErrorID() common.Hash {
	return common.HexToHash("0x4932e4fa3025400a69a1f56865757e36bccdd403aebc7d18a3b2359050fb0f94")
}

// UnpackRevertingNoteNotAcceptingError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error RevertingNote_NotAccepting()
func (revertingNote *RevertingNote) UnpackRevertingNoteNotAcceptingError(raw []byte) (*RevertingNoteRevertingNoteNotAccepting, error) {
	out := new(RevertingNoteRevertingNoteNotAccepting)
	if err := revertingNote.abi.UnpackIntoInterface(out, "RevertingNote_NotAccepting", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// RevertingNoteRevertingNoteNotOwner represents a RevertingNote_NotOwner error raised by the RevertingNote contract.
type RevertingNoteRevertingNoteNotOwner struct {
	Caller common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error RevertingNote_NotOwner(address caller)
func RevertingNoteRevertingNoteNotOwnerErrorID() common.Hash {
	return common.HexToHash("0xe5039f0b3dadce816a25874dcaf6a96c4dca8be64eae9328b4a3702ac759e389")
}

// UnpackRevertingNoteNotOwnerError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error RevertingNote_NotOwner(address caller)
func (revertingNote *RevertingNote) UnpackRevertingNoteNotOwnerError(raw []byte) (*RevertingNoteRevertingNoteNotOwner, error) {
	out := new(RevertingNoteRevertingNoteNotOwner)
	if err := revertingNote.abi.UnpackIntoInterface(out, "RevertingNote_NotOwner", raw); err != nil {
		return nil, err
	}
	return out, nil
}
