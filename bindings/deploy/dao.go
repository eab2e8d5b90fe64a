package deploy

import (
	"fmt"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/daoexecutionlib"
	"github.com/tidegate/tidegate/bindings/daointakelib"
	"github.com/tidegate/tidegate/bindings/daoruleslib"
	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/datadaofactory"
)

// daoLibraries are linked into DataDAO, each after those that it uses.
var daoLibraries = []struct {
	name string
	meta *bind.MetaData
}{
	{bindings.DaoRules, &daoruleslib.DaoRulesMetaData},
	{bindings.DaoIntake, &daointakelib.DaoIntakeMetaData},
	{bindings.DaoExecution, &daoexecutionlib.DaoExecutionMetaData},
}

// daos deploys the implementation of DAOs and their factory, which nobody owns.
func (r *run) daos(p Profile) error {
	at := map[string]common.Address{}
	for _, l := range daoLibraries {
		receipt, err := r.deployLinked(l.name, l.meta, at, nil)
		if err != nil {
			return err
		}
		at["contracts/dao/"+l.name+".sol:"+l.name] = receipt
	}
	implementation, err := r.deployLinked(bindings.DataDAO, &datadao.DataDAOMetaData, at, datadao.NewDataDAO().PackConstructor(
		r.made.Contracts[bindings.EstuaryProvider], r.made.Contracts[bindings.EstuaryPinning], p.SizeGas, p.Pinning.RequestTerm))
	if err != nil {
		return err
	}
	_, err = r.deploy(bindings.DataDAOFactory, &datadaofactory.DataDAOFactoryMetaData,
		datadaofactory.NewDataDAOFactory().PackConstructor(implementation))
	return err
}

// deployLinked deploys a contract that uses some of the libraries given.
func (r *run) deployLinked(name string, meta *bind.MetaData, libraries map[string]common.Address, constructor []byte) (common.Address, error) {
	code, err := bindings.Link(meta.Bin, libraries)
	if err != nil {
		return common.Address{}, fmt.Errorf("deploying %s: %w", name, err)
	}
	receipt, err := r.deploy(name, &bind.MetaData{Bin: code}, constructor)
	if err != nil {
		return common.Address{}, err
	}
	return receipt.ContractAddress, nil
}
